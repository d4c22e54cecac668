import { describe, expect, test } from "bun:test";
import { forEachDatabase } from "../../../../../tests/support/databases.ts";
import { rejection } from "../../../../../tests/support/rejection.ts";
import type { RunId, SessionId } from "../../domain/ids.ts";
import { newId } from "../ids.ts";
import { createRunStream } from "./run-stream.ts";
import { createRunStore, type RunPatch } from "./runs.ts";
import { createTaskStore } from "./tasks.ts";
import { runOf, seed, storedRun } from "./testing/seed.ts";

const patch: RunPatch = {
  session: "5e55" as SessionId,
  start: { kind: "resumed", lastUsedAt: 3 },
  headBefore: "a".repeat(40),
  headAfter: "b".repeat(40),
  base: { branch: "main", sha: "c".repeat(40), forgeHead: null },
  commits: 2,
  pullRequest: 12,
  report: { summary: "Done.\0", turns: 3, costUsd: 0.25, inputTokens: 10, outputTokens: 20 },
  failure: { kind: "model-limited", retryable: true, detail: "later", untilMs: null },
};

forEachDatabase((_, open) => {
  test("a run comes back as it was stored, and learns what it is told", async () => {
    await using db = await open();
    const store = createRunStore(db);
    const at = await seed(db);
    await storedRun(db, at);
    const [task] = await createTaskStore(db).list();
    const run = runOf(task!.id, at);
    await store.create(run);
    expect(await store.get(run.id)).toEqual(run);
    expect(await store.update(run.id, {})).toBe(true);
    expect(await store.get(run.id)).toEqual(run);
    expect(await store.update(run.id, patch)).toBe(true);
    expect(await store.get(run.id)).toEqual({ ...run, ...patch });
    expect(await store.update(run.id, { failure: null, commits: 0 })).toBe(true);
    expect(await store.get(run.id)).toEqual({ ...run, ...patch, failure: null, commits: 0 });
    expect(await store.get(newId.run())).toBeNull();
  });

  test("a run moves on from the state that it is in, and remembers when", async () => {
    await using db = await open();
    const store = createRunStore(db);
    const id = await storedRun(db, await seed(db));
    expect(await store.enter(id, "running", "publishing", {}, 8_000)).toBe(false);
    expect(await store.enter(id, "preparing", "starting", { headBefore: "abc" }, 8_000)).toBe(true);
    expect(await store.enter(id, "preparing", "starting", {}, 9_000)).toBe(false);
    expect(await store.enter(id, "starting", "running", {}, 8_500)).toBe(true);
    expect(await store.finish(id, { commits: 1 }, 9_500)).toBe(true);
    expect(await store.finish(id, { commits: 2 }, 9_900)).toBe(false);
    expect(await store.update(id, { commits: 3 })).toBe(false);
    expect(await store.get(id)).toMatchObject({
      state: "finished",
      headBefore: "abc",
      commits: 1,
      finishedAt: 9_500,
      stateTimes: { preparing: 7_000, starting: 8_000, running: 8_500, finished: 9_500 },
    });
  });

  test("of two that finish a run at once one does", async () => {
    await using db = await open();
    const store = createRunStore(db);
    const id = await storedRun(db, await seed(db));
    const ends = await Promise.all([1, 2, 3, 4].map((commits) => store.finish(id, { commits }, 8_000)));
    expect(ends.filter(Boolean)).toHaveLength(1);
  });

  test("unfinished runs, a task's attempts and a lane's latest are found", async () => {
    await using db = await open();
    const store = createRunStore(db);
    const [first, second] = [await seed(db, 1), await seed(db, 2)];
    const ids = [await storedRun(db, first), await storedRun(db, second), await storedRun(db, first)];
    await store.finish(ids[0]!, {}, 8_000);
    const idsOf = async (runs: Promise<{ id: RunId }[]>) => (await runs).map(({ id }) => id);
    expect(await idsOf(store.unfinished())).toEqual([ids[1]!, ids[2]!]);
    expect((await store.latestForLane(first.lane))?.id).toBe(ids[2]);
    expect(await idsOf(store.attemptsOf((await store.get(ids[0]!))!.task))).toEqual([ids[0]!, ids[2]!]);
    expect(await idsOf(store.list())).toEqual(ids.toReversed());
    expect(await idsOf(store.list({ limit: 1, before: ids[2]! }))).toEqual([ids[1]!]);
    expect(await idsOf(store.list({ thread: second.thread.id }))).toEqual([ids[1]!]);
    expect(await idsOf(store.list({ lane: first.lane }))).toEqual([ids[2]!, ids[0]!]);
  });

  test("a run is found by the beginning or the end of its id, and by no pattern", async () => {
    await using db = await open();
    const store = createRunStore(db);
    const at = await seed(db);
    const [one, two] = [await storedRun(db, at), await storedRun(db, at)];
    const found = async (part: string) => (await store.findByPart(part)).map(({ id }) => id);
    expect(await found(one)).toEqual([one]);
    expect(await found(one.slice(-12))).toEqual([one]);
    expect(await found(one.slice(0, 4))).toEqual([two, one]);
    for (const part of ["", "%", "_", `${one.slice(0, 8)}%`, "zz", "'"]) expect(await found(part)).toEqual([]);
  });

  describe("the stream", () => {
    test("comes back in order, from where it is asked for", async () => {
      await using db = await open();
      const { appendStream, stream } = createRunStream(db);
      const run = await storedRun(db, await seed(db));
      await Promise.all([2, 0, 1, 3].map((seq) => appendStream(run, seq, 100 + seq, `{"seq":${seq},"nul":"\0"}`)));
      const all = await stream(run);
      expect(all.map(({ seq, at }) => [seq, at])).toEqual([
        [0, 100],
        [1, 101],
        [2, 102],
        [3, 103],
      ]);
      expect(all[0]?.json).toBe(`{"seq":0,"nul":"\0"}`);
      expect((await stream(run, { after: 1, limit: 1 })).map(({ seq }) => seq)).toEqual([2]);
      expect(await stream(newId.run())).toEqual([]);
    });

    test("an entry of no run or with a number that is taken fails alone", async () => {
      await using db = await open();
      const { appendStream, stream } = createRunStream(db);
      const run = await storedRun(db, await seed(db));
      await appendStream(run, 0, 1, "{}");
      const missing = appendStream(newId.run(), 1, 1, "{}");
      const taken = appendStream(run, 0, 1, "{}");
      const good = appendStream(run, 1, 1, "{}");
      await Promise.all([rejection(missing), rejection(taken), good]);
      expect((await stream(run)).map(({ seq }) => seq)).toEqual([0, 1]);
    });
  });
});
