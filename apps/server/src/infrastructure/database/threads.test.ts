import { describe, expect, test } from "bun:test";
import { forEachDatabase } from "../../../../../tests/support/databases.ts";
import { rejection } from "../../../../../tests/support/rejection.ts";
import type { ForgeId, ThreadId } from "../../domain/ids.ts";
import { newId } from "../ids.ts";
import { createEventStore } from "./events.ts";
import { forge, repositoryId, snapshot, storedEvent, threadOn } from "./testing/seed.ts";
import { createThreadStore } from "./threads.ts";

const elsewhere = "github" as ForgeId;
const issue = { forge, repositoryId, repository: "ada/engine", number: 1, kind: "issue" as const };

forEachDatabase((_, open) => {
  test("a number has one thread, however many ask for it at once", async () => {
    await using db = await open();
    const store = createThreadStore(db);
    const threads = await Promise.all(Array.from({ length: 12 }, () => store.ensureThread(issue)));
    expect(new Set(threads.map(({ id }) => id)).size).toBe(1);
    expect(await store.get(threads[0]!.id)).toEqual(threads[0]!);
    expect(await db.kysely.selectFrom("threads").selectAll().execute()).toHaveLength(1);
  });

  test("numbers are the repository's and the forge's own", async () => {
    await using db = await open();
    const store = createThreadStore(db);
    const ids = [issue, { ...issue, number: 2 }, { ...issue, repositoryId: 8 }, { ...issue, forge: elsewhere }];
    const threads = await Promise.all(ids.map((each) => store.ensureThread(each)));
    expect(new Set(threads.map(({ id }) => id)).size).toBe(4);
    expect((await store.threadOf(elsewhere, repositoryId, 1))?.id).toBe(threads[3]!.id);
    expect(await store.threadOf(elsewhere, repositoryId, 2)).toBeNull();
    expect(await store.get("0" as ThreadId)).toBeNull();
  });

  test("a repository that was renamed keeps its threads, under the new name", async () => {
    await using db = await open();
    const store = createThreadStore(db);
    const { id } = await store.ensureThread(issue);
    expect(await store.ensureThread({ ...issue, repository: "ada/motor" })).toMatchObject({
      id,
      repository: "ada/motor",
    });
    expect((await store.get(id))?.repository).toBe("ada/motor");
  });

  test("people find a thread by any of its numbers, on one forge or on all", async () => {
    await using db = await open();
    const store = createThreadStore(db);
    const here = await store.ensureThread(issue);
    const there = await store.ensureThread({ ...issue, forge: elsewhere });
    await store.linkRef(here.id, 5);
    expect((await store.find(null, "ada/engine", 1)).map(({ id }) => id)).toEqual([here.id, there.id]);
    expect(await store.find(elsewhere, "ada/engine", 1)).toEqual([there]);
    expect(await store.find(null, "ada/engine", 5)).toEqual([here]);
    expect(await store.find(null, "ada/other", 1)).toEqual([]);
  });

  describe("our own pull request", () => {
    test("belongs to the issue's thread", async () => {
      await using db = await open();
      const store = createThreadStore(db);
      const thread = await threadOn(db, 1);
      expect(await store.linkRef(thread.id, 2)).toEqual({ moved: null });
      expect(await store.linkRef(thread.id, 2)).toEqual({ moved: null });
      expect(await store.threadOf(forge, repositoryId, 2)).toEqual(thread);
      expect(await store.ensureThread({ ...issue, number: 2, kind: "pull_request" })).toEqual(thread);
      expect(await store.numbersOf(thread.id)).toEqual([1, 2]);
    });

    test("whose webhook came first is taken over, with its events", async () => {
      await using db = await open();
      const store = createThreadStore(db);
      const thread = await threadOn(db, 1);
      const early = await threadOn(db, 2);
      const seen = await storedEvent(db, early.id);
      expect(await store.linkRef(thread.id, 2)).toEqual({ moved: early.id });
      expect((await createEventStore(db).listForThread(thread.id)).map(({ id }) => id)).toEqual([seen]);
      expect((await threadOn(db, 2)).id).toBe(thread.id);
      expect(await store.numbersOf(early.id)).toEqual([]);
    });

    test("of no thread is a mistake of the caller", async () => {
      await using db = await open();
      const missing = createThreadStore(db).linkRef(newId.thread(), 2);
      expect((await rejection(missing)).message).toContain("there is no thread");
    });
  });

  describe("a snapshot", () => {
    test("comes back as it was", async () => {
      await using db = await open();
      const store = createThreadStore(db);
      expect(await store.snapshot(forge, repositoryId, 1)).toBeNull();
      const seen = snapshot(1, { body: "a\0b", labels: ["ß", "'"] });
      expect(await store.saveSnapshot(forge, repositoryId, seen)).toBe(true);
      expect(await store.snapshot(forge, repositoryId, 1)).toEqual(seen);
    });

    test("never moves to an older time, and moves within the same one", async () => {
      await using db = await open();
      const store = createThreadStore(db);
      await store.saveSnapshot(forge, repositoryId, snapshot(1, { updatedAt: 2_000, title: "now" }));
      expect(await store.saveSnapshot(forge, repositoryId, snapshot(1, { updatedAt: 1_999, title: "old" }))).toBe(
        false,
      );
      expect((await store.snapshot(forge, repositoryId, 1))?.title).toBe("now");
      expect(await store.saveSnapshot(forge, repositoryId, snapshot(1, { updatedAt: 2_000, title: "same" }))).toBe(
        true,
      );
      expect(await store.saveSnapshot(forge, repositoryId, snapshot(1, { updatedAt: 2_001, title: "new" }))).toBe(true);
      expect((await store.snapshot(forge, repositoryId, 1))?.title).toBe("new");
    });

    test("that several write at once ends at the newest", async () => {
      await using db = await open();
      const store = createThreadStore(db);
      const times = [5, 9, 1, 7, 3, 8, 2];
      await Promise.all(times.map((at) => store.saveSnapshot(forge, repositoryId, snapshot(1, { updatedAt: at }))));
      expect((await store.snapshot(forge, repositoryId, 1))?.updatedAt).toBe(9);
    });
  });
});
