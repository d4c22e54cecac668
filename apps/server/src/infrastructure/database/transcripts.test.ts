import { expect, setDefaultTimeout, test } from "bun:test";
import { forEachDatabase } from "../../../../../tests/support/databases.ts";
import type { LaneKey, SessionId } from "../../domain/ids.ts";
import type { TranscriptRef } from "../../domain/transcript.ts";
import { manualClock } from "../clock.ts";
import { createSessionStore } from "./sessions.ts";
import { createTranscriptStore, type TranscriptStore } from "./transcripts.ts";

setDefaultTimeout(60_000);

const ref: TranscriptRef = { lane: "dev:thread-1" as LaneKey, session: "session-1" as SessionId };
const entry = (key: string, text = key) => ({ key, json: JSON.stringify({ type: "user", text }) });
const whole = { after: -1, limit: 1_000 };
const keysOf = async (store: TranscriptStore, subpath = "", of = ref) =>
  (await store.page(of, subpath, whole)).map(({ key }) => key);

forEachDatabase((_name, open) => {
  test("lines come back in their order and as they were, short and long, whatever is in them", async () => {
    await using db = await open();
    const store = createTranscriptStore(db, { maxBytes: 1_000_000 });
    const long = entry("long", "a NUL \0, half a pair \ud800, and more ".repeat(500));
    await store.append(ref, "", [entry("b"), long]);
    await store.append(ref, "", [entry("a")]);
    expect((await store.page(ref, "", whole)).map(({ key, json }) => ({ key, json }))).toEqual([
      entry("b"),
      long,
      entry("a"),
    ]);
    const [first] = await store.page(ref, "", { after: -1, limit: 1 });
    expect((await store.page(ref, "", { after: first!.seq, limit: 1 })).map(({ key }) => key)).toEqual(["long"]);
  });

  test("a batch that comes again, whole or in part, changes nothing", async () => {
    await using db = await open();
    const store = createTranscriptStore(db, { maxBytes: 1_000_000 });
    const once = await store.append(ref, "", [entry("a"), entry("b")]);
    expect(await store.append(ref, "", [entry("a"), entry("b")])).toEqual(once);
    await store.append(ref, "", [entry("b", "forged"), entry("c"), entry("c")]);
    expect(await keysOf(store)).toEqual(["a", "b", "c"]);
    expect((await store.page(ref, "", whole))[1]?.json).toBe(entry("b").json);
    expect(await store.size(ref)).toEqual({ entries: 3, bytes: entry("a").json.length * 3, full: false });
  });

  test("batches that arrive in one moment keep their order and are one transaction's", async () => {
    await using db = await open();
    const store = createTranscriptStore(db, { maxBytes: 1_000_000 });
    const keys = Array.from({ length: 40 }, (_, index) => `entry-${index}`);
    await Promise.all(keys.map((key) => store.append(ref, "", [entry(key)])));
    expect(await keysOf(store)).toEqual(keys);
  });

  test("what was missed is put at its place", async () => {
    await using db = await open();
    const store = createTranscriptStore(db, { maxBytes: 1_000_000 });
    await store.append(ref, "", [entry("a"), entry("c")]);
    const [a, c] = await store.page(ref, "", whole);
    await store.append(ref, "", [{ ...entry("b"), seq: Math.floor((a!.seq + c!.seq) / 2) }]);
    await store.append(ref, "", [entry("d")]);
    expect(await keysOf(store)).toEqual(["a", "b", "c", "d"]);
  });

  test("sub-agents, sessions and lanes are kept apart", async () => {
    await using db = await open();
    const store = createTranscriptStore(db, { maxBytes: 1_000_000 });
    const elsewhere = { ...ref, lane: "reviewer:thread-1" as LaneKey };
    await store.append(ref, "", [entry("a")]);
    await store.append(ref, "subagents/agent-1", [entry("a")]);
    await store.append(elsewhere, "", [entry("a"), entry("z")]);
    expect(await store.subpaths(ref)).toEqual(["subagents/agent-1"]);
    expect(await keysOf(store)).toEqual(["a"]);
    expect(await keysOf(store, "subagents/agent-1")).toEqual(["a"]);
    expect(await keysOf(store, "", elsewhere)).toEqual(["a", "z"]);
    expect(await store.sessionsOf(ref.lane)).toEqual([ref.session]);
    expect((await store.size(ref))?.entries).toBe(2);
    expect(await store.size({ ...ref, session: "session-2" as SessionId })).toBeNull();
    expect(await store.totalBytes()).toBe(4 * entry("a").json.length);
  });

  test("a transcript beyond its limit says so, and takes nothing any more", async () => {
    await using db = await open();
    const size = entry("a").json.length;
    const store = createTranscriptStore(db, { maxBytes: 2 * size });
    expect(await store.append(ref, "", [entry("a"), entry("b")])).toMatchObject({ bytes: 2 * size, full: false });
    const full = { entries: 3, bytes: 3 * size, full: true };
    expect(await store.append(ref, "", [entry("c")])).toEqual(full);
    expect(await store.append(ref, "", [entry("d")])).toEqual(full);
    expect(await keysOf(store)).toEqual(["a", "b", "c"]);
    const first = { ...ref, session: "session-2" as SessionId };
    expect(await store.append(first, "", [entry("a"), entry("b"), entry("c")])).toMatchObject({ full: true });
  });

  test("bytes that are no text any more are told apart from those that are", async () => {
    await using db = await open();
    const store = createTranscriptStore(db, { maxBytes: 1_000_000 });
    const long = entry("long", "x".repeat(5_000));
    await store.append(ref, "", [entry("a"), long, entry("c")]);
    const [row] = await db.kysely
      .selectFrom("transcript_entries")
      .select("entry")
      .where("entry_key", "=", "long")
      .execute();
    expect(row!.entry.byteLength).toBeLessThan(500);
    const spoil = (key: string, bytes: Uint8Array) =>
      db.kysely.updateTable("transcript_entries").set({ entry: bytes }).where("entry_key", "=", key).execute();
    await spoil("long", row!.entry.slice(0, 20));
    await spoil("c", new Uint8Array([0xff, 0xfe]));
    expect((await store.page(ref, "", whole)).map(({ json }) => json)).toEqual([entry("a").json, null, null]);
  });

  test("old transcripts go, except those that a session leads to", async () => {
    const clock = manualClock(1_000);
    await using db = await open({ clock });
    const store = createTranscriptStore(db, { maxBytes: 10_000_000 });
    const kept = { ...ref, session: "kept" as SessionId };
    const many = Array.from({ length: 1_200 }, (_, index) => entry(`entry-${index}`));
    await store.append(ref, "", many);
    await store.append(ref, "subagents/agent-1", [entry("a")]);
    await store.append(kept, "", [entry("a")]);
    await createSessionStore(db, { maxAgeMs: 1 }).setSession(ref.lane, kept.session);
    clock.set(2_000);
    const young = { ...ref, session: "young" as SessionId };
    await store.append(young, "", [entry("a")]);
    expect(await store.pruneBefore(2_000)).toBe(1);
    expect(await store.pruneBefore(2_000)).toBe(0);
    expect(await store.sessionsOf(ref.lane)).toEqual([kept.session, young.session]);
    expect([await keysOf(store), await store.subpaths(ref)]).toEqual([[], []]);
    expect(await keysOf(store, "", kept)).toEqual(["a"]);
  });
});
