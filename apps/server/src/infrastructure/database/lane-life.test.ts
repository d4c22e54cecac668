import { describe, expect, test } from "bun:test";
import { forEachDatabase } from "../../../../../tests/support/databases.ts";
import type { LaneKey, SessionId } from "../../domain/ids.ts";
import { manualClock } from "../clock.ts";
import { newId } from "../ids.ts";
import type { Handle } from "./handle.ts";
import { createHoldStore } from "./lane-holds.ts";
import { createLaneLife } from "./lane-life.ts";
import { createSessionRecords } from "./session-records.ts";
import { createSessionStore } from "./sessions.ts";
import { createTaskStore } from "./tasks.ts";
import { type Seed, seed } from "./testing/seed.ts";

const hour = 3_600_000;
const day = 24 * hour;
const id = "5c0f7d0e-0000-4000-8000-000000000001" as SessionId;

forEachDatabase((_, open) => {
  async function set(): Promise<
    AsyncDisposable & ReturnType<typeof storesOf> & { at: Seed; clock: ReturnType<typeof manualClock> }
  > {
    const clock = manualClock();
    const db = await open({ clock });
    const at = await seed(db);
    return { ...storesOf(db), at, clock, [Symbol.asyncDispose]: () => db.close() };
  }
  const storesOf = (db: Handle) => ({
    sessions: createSessionStore(db, { maxAgeMs: day }),
    records: createSessionRecords(db),
    life: createLaneLife(db),
    holds: createHoldStore(db),
    tasks: createTaskStore(db),
  });
  const work = ({ lane, thread, cause }: Seed) => ({
    lane,
    agentType: "dev",
    thread: thread.id,
    skill: "s",
    cause,
    dueAt: 0,
  });

  describe("a session", () => {
    test("that is archived does not age, and goes on from where it stood when its thread is open again", async () => {
      await using it = await set();
      const { lane, thread } = it.at;
      await it.sessions.setSession(lane, id);
      await it.clock.advance(23 * hour);
      const archivedAt = it.clock.now();
      expect(await it.life.archive(thread.id, [lane])).toBe(true);
      await it.clock.advance(20 * day);
      expect(await it.life.archive(thread.id, [lane])).toBe(false);
      expect(await it.records.get(lane)).toMatchObject({ stands: true, ageMs: 23 * hour, archivedAt });
      expect(await it.life.archivedAt(thread.id)).toBe(archivedAt);
      expect(await it.sessions.sweepStaleSessions()).toBe(0);
      expect(await it.life.reopen(thread.id, [lane])).toBe(true);
      expect(await it.sessions.getSession(lane)).toMatchObject({ id });
      await it.clock.advance(hour + 1);
      expect(await it.sessions.getSession(lane)).toBeNull();
    });

    test("is dropped when its thread is over for longer than it is kept, unless somebody holds it", async () => {
      await using it = await set();
      const held = "reviewer:x" as LaneKey;
      for (const lane of [it.at.lane, held]) await it.sessions.setSession(lane, id);
      await it.life.archive(it.at.thread.id, [it.at.lane, held]);
      await it.holds.hold(held, "takeover");
      await it.clock.advance(day);
      expect(await it.life.dropArchivedBefore(it.clock.now() - day)).toEqual([]);
      expect(await it.life.dropArchivedBefore(it.clock.now() - day + 1)).toEqual([it.at.lane]);
      expect(await it.records.list({ limit: 9 })).toMatchObject([{ lane: held }]);
    });

    test("stands still as long as one reason for it is left", async () => {
      await using it = await set();
      const { lane, thread } = it.at;
      await it.sessions.setSession(lane, id);
      const stands = async () => {
        await it.life.settleAge(lane);
        return (await it.records.get(lane))?.stands;
      };
      expect(await stands()).toBe(false);
      const { task } = await it.tasks.enqueue(work(it.at));
      const run = newId.run();
      await it.tasks.claim(task.id, run, 0);
      await it.tasks.park(task.id, run, { reason: "limited", until: null });
      expect(await stands()).toBe(true);
      await it.holds.hold(lane, "takeover");
      await it.life.archive(thread.id, [lane]);
      await it.tasks.cancel(task.id, null, "no more");
      await it.life.reopen(thread.id, [lane]);
      expect(await stands()).toBe(true);
      await it.holds.release(lane, "takeover");
      expect(await stands()).toBe(false);
    });

    test("taken over from elsewhere keeps its time, and gives way to none that was used earlier", async () => {
      await using it = await set();
      const { lane } = it.at;
      const lastUsedAt = it.clock.now() - hour;
      const other = "5c0f7d0e-0000-4000-8000-000000000002" as SessionId;
      expect(await it.records.put({ lane, id, lastUsedAt })).toBe(true);
      expect(await it.records.put({ lane, id: other, lastUsedAt })).toBe(false);
      expect(await it.records.put({ lane, id: other, lastUsedAt: 0 })).toBe(false);
      expect(await it.records.get(lane)).toMatchObject({
        id,
        lastUsedAt,
        ageMs: hour,
        stands: false,
        archivedAt: null,
      });
      expect(await it.records.put({ lane, id: other, lastUsedAt: lastUsedAt + 1 })).toBe(true);
      expect(await it.sessions.getSession(lane)).toMatchObject({ id: other });
    });
  });

  describe("a lane that is held", () => {
    test("starts no run, gathers its causes, and goes on when it is let go", async () => {
      await using it = await set();
      const { lane } = it.at;
      expect(await it.holds.hold(lane, "takeover")).toBe(true);
      expect(await it.holds.hold(lane, "tidying")).toBe(false);
      expect(await it.holds.get(lane)).toEqual({ lane, kind: "takeover", since: it.clock.now() });
      const { task } = await it.tasks.enqueue(work(it.at));
      expect(await it.tasks.dueIn(lane, 1)).toBeNull();
      expect(await it.tasks.due(1, 9)).toEqual([]);
      expect(await it.tasks.claim(task.id, newId.run(), 1)).toBeNull();
      expect(await it.holds.release(lane, "tidying")).toBe(false);
      expect(await it.holds.release(lane, "takeover")).toBe(true);
      expect(await it.tasks.claim(task.id, newId.run(), 1)).toMatchObject({ attempts: 1 });
    });

    test("by the service itself is let go after a crash, and one that a person holds is not", async () => {
      await using it = await set();
      await it.holds.hold(it.at.lane, "tidying");
      await it.holds.hold("dev:other" as LaneKey, "takeover");
      expect(await it.holds.releaseAll("tidying")).toBe(1);
      expect(await it.holds.list()).toMatchObject([{ kind: "takeover" }]);
    });
  });
});
