import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { forEachDatabase } from "../../../../../tests/support/databases.ts";
import type { LaneKey, SessionId } from "../../domain/ids.ts";
import { readSessionFile } from "../../sessions/records.ts";
import { type ManualClock, manualClock } from "../clock.ts";
import { createSessionRecords } from "./session-records.ts";
import { createSessionStore } from "./sessions.ts";
import { type Bench, openBench } from "./testing/session-bench.ts";
import {
  anyStep,
  first,
  hour,
  lane,
  maxAgeMs,
  other,
  playOnStore,
  SessionModel,
  second,
} from "./testing/session-model.ts";

forEachDatabase((_, open) => {
  const bench = (): Promise<Bench> => openBench(open);
  const pass = (clock: ManualClock, ms: number) => clock.set(clock.now() + ms);
  const rows = ({ db }: Bench) => db.kysely.selectFrom("sessions").selectAll().execute();

  describe("age", () => {
    test("a session of 25 hours is gone, and its row with it", async () => {
      await using it = await bench();
      await it.store.setSession(lane, first);
      pass(it.clock, 25 * hour);
      expect(await it.store.getSession(lane)).toBeNull();
      expect(await rows(it)).toEqual([]);
    });

    test("exactly at the maximum age it lives, a millisecond later it does not", async () => {
      await using it = await bench();
      await it.store.setSession(lane, first);
      pass(it.clock, maxAgeMs);
      expect(await it.store.sweepStaleSessions()).toBe(0);
      expect((await it.store.getSession(lane))?.id).toBe(first);
      pass(it.clock, 1);
      expect(await it.store.getSession(lane)).toBeNull();
    });

    test("a session of one hour answers its id and its last use", async () => {
      await using it = await bench();
      const usedAt = it.clock.now();
      await it.store.setSession(lane, first);
      pass(it.clock, hour);
      expect(await it.store.getSession(lane)).toEqual({ lane, id: first, lastUsedAt: usedAt });
    });

    test("a read does not refresh it", async () => {
      await using it = await bench();
      await it.store.setSession(lane, first);
      pass(it.clock, 20 * hour);
      await it.store.getSession(lane);
      pass(it.clock, 20 * hour);
      expect(await it.store.getSession(lane)).toBeNull();
    });

    test("the same id written again counts as a use", async () => {
      await using it = await bench();
      await it.store.setSession(lane, first);
      pass(it.clock, 20 * hour);
      await it.store.setSession(lane, first);
      pass(it.clock, 20 * hour);
      expect((await it.store.getSession(lane))?.id).toBe(first);
    });

    test("looking says why there is none", async () => {
      await using it = await bench();
      expect(await it.store.findSession(lane)).toEqual({ kind: "none" });
      const lastUsedAt = it.clock.now();
      await it.store.setSession(lane, first);
      pass(it.clock, 25 * hour);
      expect(await it.store.findSession(lane)).toEqual({ kind: "expired", lastUsedAt, ageMs: 25 * hour, maxAgeMs });
      expect(await it.store.findSession(lane)).toEqual({ kind: "none" });
    });

    test("a new maximum holds at once, for what is stored too", async () => {
      await using it = await bench();
      await it.store.setSession(lane, first);
      pass(it.clock, 2 * hour);
      it.store.setMaxSessionAgeMs(hour);
      expect(await it.store.getSession(lane)).toBeNull();
    });

    test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("%p is refused as a maximum", async (ms) => {
      await using it = await bench();
      expect(() => it.store.setMaxSessionAgeMs(ms)).toThrow(RangeError);
      expect(() => createSessionStore(it.db, { maxAgeMs: ms })).toThrow(RangeError);
    });
  });

  describe("lanes", () => {
    test("each has a session of its own, and the latest id wins", async () => {
      await using it = await bench();
      await it.store.setSession(lane, first);
      await it.store.setSession(other, first);
      await it.store.setSession(lane, second);
      expect((await it.store.getSession(lane))?.id).toBe(second);
      expect((await it.store.getSession(other))?.id).toBe(first);
    });

    test("deleting says whether there was one, and leaves the others", async () => {
      await using it = await bench();
      await Promise.all([it.store.setSession(lane, first), it.store.setSession(other, second)]);
      expect(await it.store.deleteSession(lane)).toBe(true);
      expect(await it.store.deleteSession(lane)).toBe(false);
      expect(await it.store.getSession(lane)).toBeNull();
      expect((await it.store.getSession(other))?.id).toBe(second);
    });
  });

  describe("sweep", () => {
    test("drops every expired one, more than a slice of them, and leaves the fresh untouched", async () => {
      await using it = await bench();
      const now = it.clock.now();
      const row = { session_id: first, last_used_at: now, aged_from: now, paused_age_ms: null, totals: null };
      const old = Array.from({ length: 1201 }, (__, index) => ({ lane: `dev:old-${index}`, ...row }));
      await it.db.kysely.insertInto("sessions").values(old).execute();
      pass(it.clock, 25 * hour);
      await it.store.setSession(lane, first);
      await it.store.setSession(other, second);
      const fresh = (await rows(it)).filter((each) => each.lane === lane || each.lane === other);
      expect(await it.store.sweepStaleSessions()).toBe(1201);
      expect(await rows(it)).toEqual(fresh);
      expect(await it.store.sweepStaleSessions()).toBe(0);
    });

    test("live ids are those of sessions that are not expired, paused ones among them", async () => {
      await using it = await bench();
      await it.store.setSession("dev:expired" as LaneKey, first);
      await it.store.setSession("dev:paused" as LaneKey, first);
      await it.store.pauseSession("dev:paused" as LaneKey);
      pass(it.clock, 25 * hour);
      await it.store.setSession(lane, second);
      expect((await it.store.listLiveSessionIds()).toSorted()).toEqual([first, second]);
      await it.store.deleteSession("dev:paused" as LaneKey);
      expect(await it.store.listLiveSessionIds()).toEqual([second]);
    });
  });

  describe("pause", () => {
    test("the age stands still and then goes on", async () => {
      await using it = await bench();
      const usedAt = it.clock.now();
      await it.store.setSession(lane, first);
      pass(it.clock, 23 * hour);
      expect(await it.store.pauseSession(lane)).toBe(true);
      pass(it.clock, 1000 * hour);
      expect((await it.store.getSession(lane))?.lastUsedAt).toBe(usedAt);
      expect(await it.store.sweepStaleSessions()).toBe(0);
      expect(await it.store.unpauseSession(lane)).toBe(true);
      pass(it.clock, hour);
      expect((await it.store.getSession(lane))?.id).toBe(first);
      pass(it.clock, 1);
      expect(await it.store.getSession(lane)).toBeNull();
    });

    test("pausing twice, resuming twice and pausing nothing change nothing", async () => {
      await using it = await bench();
      expect(await it.store.pauseSession(lane)).toBe(false);
      await it.store.setSession(lane, first);
      expect(await it.store.unpauseSession(lane)).toBe(false);
      await it.store.pauseSession(lane);
      pass(it.clock, 30 * hour);
      expect(await it.store.pauseSession(lane)).toBe(false);
      expect((await it.store.getSession(lane))?.id).toBe(first);
    });

    test("a use while paused sets the age to nothing and keeps the pause", async () => {
      await using it = await bench();
      await it.store.setSession(lane, first);
      pass(it.clock, 23 * hour);
      await it.store.pauseSession(lane);
      await it.store.setSession(lane, second);
      pass(it.clock, 100 * hour);
      expect((await it.store.getSession(lane))?.id).toBe(second);
      await it.store.unpauseSession(lane);
      pass(it.clock, 24 * hour);
      expect((await it.store.getSession(lane))?.id).toBe(second);
    });
  });

  describe("a clock that is set back", () => {
    test("makes no session older, and none outlives the maximum age from then on", async () => {
      await using it = await bench();
      pass(it.clock, 1000 * hour);
      await it.store.setSession(lane, first);
      pass(it.clock, -1000 * hour);
      expect(await it.store.getSession(lane)).toEqual({ lane, id: first, lastUsedAt: it.clock.now() });
      pass(it.clock, maxAgeMs + 1);
      expect(await it.store.getSession(lane)).toBeNull();
    });

    test("is met by the sweep too", async () => {
      await using it = await bench();
      pass(it.clock, 1000 * hour);
      await it.store.setSession(lane, first);
      pass(it.clock, -1000 * hour);
      expect(await it.store.sweepStaleSessions()).toBe(0);
      pass(it.clock, maxAgeMs + 1);
      expect(await it.store.sweepStaleSessions()).toBe(1);
    });

    test("keeps the age of a paused one", async () => {
      await using it = await bench();
      await it.store.setSession(lane, first);
      pass(it.clock, 23 * hour);
      await it.store.pauseSession(lane);
      pass(it.clock, -500 * hour);
      await it.store.unpauseSession(lane);
      pass(it.clock, hour);
      expect((await it.store.getSession(lane))?.id).toBe(first);
      pass(it.clock, 1);
      expect(await it.store.getSession(lane)).toBeNull();
    });

    test("lets a use at the earlier time count", async () => {
      await using it = await bench();
      await it.store.setSession(lane, first);
      pass(it.clock, -5 * hour);
      await it.store.setSession(lane, second);
      expect(await it.store.getSession(lane)).toEqual({ lane, id: second, lastUsedAt: it.clock.now() });
    });
  });

  describe("resume failures", () => {
    test("are counted by reason and in all", async () => {
      await using it = await bench();
      expect(await it.store.getSessionResumeFailuresTotal()).toBe(0);
      await it.store.incrementSessionResumeFailures("not-found");
      await it.store.incrementSessionResumeFailures("not-found");
      await it.store.incrementSessionResumeFailures("invalid-id");
      expect(await it.store.getSessionResumeFailuresTotal()).toBe(3);
      expect(await it.store.getSessionResumeFailuresTotal("not-found")).toBe(2);
    });
  });

  test("a file of the earlier system is taken in: bare ids have expired, records keep their time", async () => {
    await using bed = await bench();
    const used = bed.clock.now() - hour;
    const content = { "dev:a/b:1": "bare", "dev:a/b#2": { id: "kept", last_used_at: used } };
    const file = readSessionFile(JSON.stringify(content), "sessions.json");
    const records = createSessionRecords(bed.db);
    for (const { number, id, lastUsedAt } of file.kind === "read" ? file.entries : [])
      await records.put({ lane: number === 1 ? lane : other, id, lastUsedAt });
    expect(await bed.store.findSession(lane)).toMatchObject({ kind: "expired", lastUsedAt: 0 });
    expect(await bed.store.getSession(other)).toEqual({ lane: other, id: "kept" as SessionId, lastUsedAt: used });
  });

  test("a restart forgets no session, no pause and no count", async () => {
    const url = await open.url();
    const clock = manualClock();
    {
      await using db = await open({ url, clock });
      const store = createSessionStore(db, { maxAgeMs });
      await store.setSession(lane, first);
      await store.setSession(other, second);
      await store.pauseSession(other);
      await store.incrementSessionResumeFailures("not-found");
    }
    clock.set(clock.now() + 25 * hour);
    await using db = await open({ url, clock });
    const store = createSessionStore(db, { maxAgeMs });
    expect(await store.sweepStaleSessions()).toBe(1);
    expect((await store.getSession(other))?.id).toBe(second);
    expect(await store.getSessionResumeFailuresTotal()).toBe(1);
  });

  test("writers at the same time lose no count, and leave one of their ids", async () => {
    await using it = await bench();
    const ids = Array.from({ length: 40 }, () => crypto.randomUUID() as SessionId);
    const write = (id: SessionId) => it.store.setSession(lane, id);
    const count = () => it.store.incrementSessionResumeFailures("not-found");
    const look = () => [it.store.getSession(lane), it.store.sweepStaleSessions()];
    await Promise.all(ids.flatMap((id) => [write(id), count(), ...look()]));
    expect(await it.store.getSessionResumeFailuresTotal()).toBe(40);
    expect(ids).toContain((await it.store.getSession(lane))!.id);
    expect(await rows(it)).toHaveLength(1);
  });

  test("any sequence of calls ends as the plain model of it does", async () => {
    await using it = await bench();
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 40 }), async (steps) => {
        await it.db.kysely.deleteFrom("sessions").execute();
        const model = new SessionModel();
        for (const each of steps)
          expect(await playOnStore(it.store, it.clock, each)).toEqual(model.play(each, it.clock.now()));
      }),
      { numRuns: 200 },
    );
  });
});
