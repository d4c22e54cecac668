import { describe, expect, test } from "bun:test";
import { forEachDatabase } from "../../../../../tests/support/databases.ts";
import type { EffectId } from "../../domain/ids.ts";
import { newId } from "../ids.ts";
import { createEffectStore, type EffectStore } from "./effects.ts";
import { effectOn, seed, storedRun, threadOn } from "./testing/seed.ts";

const result = { kind: "comment", id: 5, url: "http://forge/5" } as const;

type Move = (store: EffectStore, id: EffectId) => Promise<unknown>;

const sent =
  (then: Move): Move =>
  async (store, id) => {
    await store.markSending(id);
    await then(store, id);
  };

const moves: [state: string, goes: boolean, move: Move][] = [
  ["being sent", false, sent(async () => {})],
  ["waiting for a retry", false, sent((store, id) => store.retryAt(id, 1_000, "502"))],
  ["parked", true, (store, id) => store.park(id, "403")],
  ["superseded", true, (store, id) => store.supersede(id, "closed")],
  ["done", true, sent((store, id) => store.done(id, result))],
];

forEachDatabase((_, open) => {
  test("an effect comes back as it was stored", async () => {
    await using db = await open();
    const store = createEffectStore(db);
    const at = await seed(db);
    const run = await storedRun(db, at);
    const effect = effectOn(at.thread.id, { run, key: "k" });
    expect(await store.enqueue(effect)).toEqual(effect);
    expect(await store.get(effect.id)).toEqual(effect);
    expect(await store.getByKey("k")).toEqual(effect);
    expect(await store.ofRun(run)).toEqual([effect]);
    expect(await store.get(newId.effect())).toBeNull();
    expect(await store.getByKey("none")).toBeNull();
  });

  test("a key is stored once, however often and whatever it says; what is there comes back", async () => {
    await using db = await open();
    const store = createEffectStore(db);
    const thread = await threadOn(db, 1);
    const first = effectOn(thread.id, { key: "pull:1" });
    await store.enqueue(first);
    await store.markSending(first.id);
    const stored = await Promise.all([1, 2, 3].map(() => store.enqueue(effectOn(thread.id, { key: "pull:1" }))));
    expect(stored).toEqual(Array.from({ length: 3 }, () => ({ ...first, state: "sending", attempts: 1 })));
    expect(await store.listForThread(thread.id)).toHaveLength(1);
  });

  describe("what is due", () => {
    test("is the oldest of each thread, in its time", async () => {
      await using db = await open();
      const store = createEffectStore(db);
      const [one, two] = [await threadOn(db, 1), await threadOn(db, 2)];
      const first = effectOn(one.id, { nextAttemptAt: 50 });
      const second = effectOn(one.id, { nextAttemptAt: 0 });
      const other = effectOn(two.id, { nextAttemptAt: 40 });
      for (const effect of [second, other, first]) await store.enqueue(effect);
      const due = async (now: number) => (await store.nextDue(now)).map(({ id }) => id);
      expect(await due(39)).toEqual([]);
      expect(await store.nextDueAt()).toBe(40);
      expect(await due(40)).toEqual([other.id]);
      expect(await due(50)).toEqual([other.id, first.id]);
      expect((await store.nextDue(50, 1)).map(({ id }) => id)).toEqual([other.id]);
    });

    test.each(moves)("one that is %s lets the next one go: %p", async (__, goes, move) => {
      await using db = await open();
      const store = createEffectStore(db);
      const thread = await threadOn(db, 1);
      const [first, second] = [effectOn(thread.id), effectOn(thread.id)];
      await store.enqueue(first);
      await store.enqueue(second);
      await move(store, first.id);
      expect((await store.nextDue(100)).map(({ id }) => id)).toEqual(goes ? [second.id] : []);
    });
  });

  test("one is sent by one, ends once, and keeps what came of it", async () => {
    await using db = await open();
    const store = createEffectStore(db);
    const thread = await threadOn(db, 1);
    const { id } = await store.enqueue(effectOn(thread.id));
    expect(await store.done(id, result)).toBe(false);
    const taken = await Promise.all([1, 2, 3].map(() => store.markSending(id)));
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect((await store.sending()).map((effect) => effect.id)).toEqual([id]);
    expect(await store.retryAt(id, 90, "502")).toBe(true);
    expect(await store.retryAt(id, 95, "502")).toBe(false);
    expect(await store.get(id)).toMatchObject({ state: "pending", attempts: 1, nextAttemptAt: 90, error: "502" });
    await store.markSending(id);
    expect(await store.done(id, result)).toBe(true);
    expect(await store.get(id)).toMatchObject({ state: "done", attempts: 2, result, error: null });
    for (const late of [store.park(id, "x"), store.supersede(id, "x"), store.markSending(id), store.done(id, result)])
      expect(await late).toBe(false);
    expect(await store.nextDueAt()).toBeNull();
  });

  test("those that wait for a person are listed with the reason", async () => {
    await using db = await open();
    const store = createEffectStore(db);
    const thread = await threadOn(db, 1);
    const [first, second] = [effectOn(thread.id), effectOn(thread.id)];
    await store.enqueue(first);
    await store.enqueue(second);
    await store.park(second.id, "the token may not comment");
    expect(await store.parked()).toEqual([{ ...second, state: "parked", error: "the token may not comment" }]);
    expect(await store.supersede(second.id, "late")).toBe(false);
  });
});
