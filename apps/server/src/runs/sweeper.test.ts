import { describe, expect, test } from "bun:test";
import { ForgeError } from "../domain/forge.ts";
import type { HoldKind } from "../domain/hold.ts";
import { type ForgeId, type LaneKey, laneKey, laneParts, type SessionId, type ThreadId } from "../domain/ids.ts";
import { stampOf } from "../domain/stamp.ts";
import type { Thread } from "../domain/thread.ts";
import { type ManualClock, manualClock } from "../infrastructure/clock.ts";
import { type LanePlace, Sweeper } from "./sweeper.ts";
import type { PutAway } from "./tidy.ts";

const day = 24 * 3_600_000;

/** Everything that the sweeper sees, in memory. */
class Fakes {
  readonly clock: ManualClock = manualClock();
  readonly lanes = new Map<LaneKey, LanePlace>();
  readonly threads = new Map<ThreadId, Thread>();
  readonly archived = new Map<ThreadId, number>();
  readonly sessions = new Map<LaneKey, SessionId>();
  readonly live = new Set<SessionId>();
  readonly running = new Set<LaneKey>();
  readonly holds = new Map<LaneKey, HoldKind>();
  readonly lastRun = new Map<LaneKey, number>();
  readonly closed = new Set<number>();
  readonly did: string[] = [];
  readonly logged: string[] = [];
  /** When the forge was called, and what for. */
  readonly calls: { at: number; what: string }[] = [];
  forgeFault: ForgeError | null = null;
  away: PutAway = { kind: "nothing" };
  leftover: (before: number) => Promise<number> = async () => 0;

  add(
    number: number,
    options: { forge?: string; repository?: number; checkout?: boolean; kept?: string[]; idleDays?: number } = {},
  ): LaneKey {
    const id = `thread-${number}` as ThreadId;
    const forge = (options.forge ?? "main") as ForgeId;
    this.threads.set(id, {
      id,
      forge,
      repositoryId: options.repository ?? 7,
      repository: "old/name",
      number,
      kind: "issue",
    });
    const key = laneKey("dev", id);
    const kept = (options.kept ?? []).map((stamp) => ({ stamp, path: `/lanes/${number}/kept-${stamp}` }));
    this.lanes.set(key, { key, checkout: options.checkout ?? true, kept });
    this.lastRun.set(key, this.clock.now() - (options.idleDays ?? 0) * day);
    return key;
  }

  sweeper(): Sweeper {
    const call = (what: string): void => {
      this.calls.push({ at: this.clock.now(), what });
      if (this.forgeFault !== null) throw this.forgeFault;
    };
    const log = (_: unknown, text: string): void => void this.logged.push(text);
    return new Sweeper({
      clock: this.clock,
      timers: this.clock,
      log: { debug: log, info: log, warn: log, error: log },
      retentionMs: () => 30 * day,
      wake: (lane) => void this.did.push(`wake ${lane}`),
      holds: {
        hold: async (lane, kind) => !this.holds.has(lane) && this.holds.set(lane, kind) !== null,
        release: async (lane, kind) => this.holds.get(lane) === kind && this.holds.delete(lane),
      },
      isRunning: async (lane) => this.running.has(lane),
      putAway: async (lane) => {
        expect(this.holds.get(lane)).toBe("tidying");
        this.did.push(`put away ${lane}`);
        return this.away;
      },
      sessions: {
        sweepStaleSessions: async () => 0,
        listLiveSessionIds: async () => [...this.live],
        idOf: async (lane) => this.sessions.get(lane) ?? null,
      },
      life: {
        archive: async (thread) => {
          if (this.archived.has(thread)) return false;
          this.archived.set(thread, this.clock.now());
          return true;
        },
        archivedAt: async (thread) => this.archived.get(thread) ?? null,
        dropArchivedBefore: async () => [],
      },
      threads: { get: async (id) => this.threads.get(id) ?? null },
      lastRunAt: async (lane) => this.lastRun.get(lane) ?? null,
      places: {
        listLanes: async () => [...this.lanes.values()],
        removeLane: async (lane) => void this.did.push(`remove ${lane}`),
        removeKept: async (lane, stamp) => void this.did.push(`remove ${lane} ${stamp}`),
        clearRemovals: async () => 0,
      },
      leftovers: [{ name: "leftovers", sweep: (before) => this.leftover(before) }],
      repositoryName: async () => {
        call("name");
        return "new/name";
      },
      state: async (thread, repository) => {
        call(`${repository}#${thread.number}`);
        return this.closed.has(thread.number) ? "closed" : "open";
      },
    });
  }

  /** One whole sweep, with the time that it takes. */
  async sweep(): Promise<void> {
    const sweeper = this.sweeper();
    const done = sweeper.sweep();
    await this.clock.advance(60_000);
    await done;
    await sweeper.stop();
  }
}

const away = (lanes: LaneKey[]): string[] => lanes.flatMap((lane) => [`put away ${lane}`, `wake ${lane}`]);

describe("the sweep", () => {
  test("asks the forge what is closed, a call in 200 ms, and puts away what is", async () => {
    const it = new Fakes();
    const lanes = [1, 2, 3, 4].map((number) => it.add(number));
    it.closed.add(2).add(4);
    await it.sweep();
    expect(it.calls.map(({ what }) => what)).toEqual(["name", "new/name#1", "new/name#2", "new/name#3", "new/name#4"]);
    const gaps = it.calls.slice(1).map(({ at }, index) => at - it.calls[index]!.at);
    expect(gaps).toEqual([200, 200, 200, 200]);
    expect(it.did).toEqual(away([lanes[1]!, lanes[3]!]));
    expect(it.holds.size).toBe(0);
  });

  test("takes a forge that is down for no answer, asks it once, and asks the others all the same", async () => {
    const it = new Fakes();
    for (const number of [1, 2]) it.add(number, { forge: "down", repository: number });
    it.forgeFault = new ForgeError("no answer", { kind: "unavailable", status: null, ambiguous: true });
    await it.sweep();
    expect(it.calls).toHaveLength(1);
    expect(it.did).toEqual([]);
    expect(it.logged).toContain("the forge cannot be asked what is closed; not now");
    it.forgeFault = null;
    it.closed.add(1);
    await it.sweep();
    expect(it.did).toEqual(away([laneKey("dev", "thread-1" as ThreadId)]));
  });

  test("concludes nothing from a thread that the forge does not know", async () => {
    const it = new Fakes();
    it.add(1);
    it.add(2);
    it.forgeFault = new ForgeError("gone", { kind: "not-found", status: 404, ambiguous: false });
    await it.sweep();
    expect(it.did).toEqual([]);
    expect(it.archived.size).toBe(0);
  });

  test("removes lanes that nobody used for 30 days without asking, unless their session lives", async () => {
    const it = new Fakes();
    const [young, old, alive] = [it.add(1, { idleDays: 30 }), it.add(2, { idleDays: 31 }), it.add(3, { idleDays: 99 })];
    it.sessions.set(alive, "s" as SessionId);
    it.live.add("s" as SessionId);
    it.forgeFault = new ForgeError("no answer", { kind: "unavailable", status: null, ambiguous: true });
    await it.sweep();
    expect(it.calls).toHaveLength(1);
    expect(it.did).toEqual([`put away ${old}`, `remove ${old}`, `wake ${old}`]);
    expect(young).not.toBe(old);
  });

  test("keeps the lane of what is over for the time of retention, and removes it then", async () => {
    const it = new Fakes();
    const lane = it.add(1);
    it.archived.set(laneParts(lane).thread, it.clock.now());
    await it.sweep();
    expect(it.did).toEqual(away([lane]));
    it.lanes.set(lane, { key: lane, checkout: false, kept: [] });
    await it.sweep();
    expect(it.did).toEqual(away([lane]));
    await it.clock.advance(30 * day);
    await it.sweep();
    expect(it.did.slice(2)).toEqual([`put away ${lane}`, `remove ${lane}`, `wake ${lane}`]);
  });

  test.each<[string, PutAway]>([
    ["could not be saved now", { kind: "failed", detail: "no space" }],
    ["was set aside", { kind: "kept", path: "/x", why: "broken" }],
  ])("leaves the lane where its work %s", async (_, result) => {
    const it = new Fakes();
    const lane = it.add(1, { idleDays: 40 });
    it.away = result;
    await it.sweep();
    expect(it.did).toEqual(away([lane]));
  });

  test("touches nothing that a run uses or a person holds", async () => {
    const it = new Fakes();
    const [running, held] = [it.add(1, { idleDays: 40 }), it.add(2, { idleDays: 40 })];
    it.running.add(running);
    it.holds.set(held, "takeover");
    await it.sweep();
    expect(it.did).toEqual([`wake ${running}`]);
    expect([...it.holds]).toEqual([[held, "takeover"]]);
  });

  test("removes what was set aside when its time is over, and the lane only after that", async () => {
    const it = new Fakes();
    const [old, young] = [31, 29].map((days) => stampOf(it.clock.now() - days * day));
    const lane = it.add(1, { idleDays: 40, checkout: false, kept: [old!, young!] });
    await it.sweep();
    expect(it.did).toEqual([`remove ${lane} ${old}`, ...away([lane])]);
  });

  test("leaves a folder of a lane that is not on record to people, and says so", async () => {
    const it = new Fakes();
    const lane = it.add(1, { idleDays: 40 });
    it.threads.clear();
    await it.sweep();
    expect(it.did).toEqual([]);
    expect(it.logged.join()).toContain("belongs to no thread on record");
    expect(lane).toBeString();
  });

  test("goes on with the other parts where one fails", async () => {
    const it = new Fakes();
    const lane = it.add(1, { idleDays: 40 });
    it.leftover = () => Promise.reject(new Error("disk"));
    await it.sweep();
    expect(it.did).toContain(`remove ${lane}`);
    expect(it.logged).toContain("a part of the sweep failed; it is tried again at the next one");
  });

  test("comes at start and every six hours, and no more after the stop", async () => {
    const it = new Fakes();
    const times: number[] = [];
    const start = it.clock.now();
    it.leftover = async () => times.push(it.clock.now() - start);
    const sweeper = it.sweeper();
    sweeper.start();
    await it.clock.advance(13 * 3_600_000);
    await sweeper.stop();
    await it.clock.advance(day);
    expect(times.map((ms) => ms / 3_600_000)).toEqual([0, 6, 12]);
    expect(it.clock.pending()).toBe(0);
  });
});

describe("what is over", () => {
  test("is put away at once, and when its run has ended where one was under way", async () => {
    const it = new Fakes();
    const [free, busy, open] = [it.add(1), it.add(2), it.add(3, { idleDays: 99 })];
    for (const lane of [free, busy]) it.archived.set(laneParts(lane).thread, it.clock.now());
    it.running.add(busy);
    const sweeper = it.sweeper();
    sweeper.tidySoon();
    await it.clock.advance(1_000);
    expect(it.did).toEqual([...away([free]), `wake ${busy}`]);
    it.running.clear();
    it.lanes.set(free, { key: free, checkout: false, kept: [] });
    await it.clock.advance(60_000);
    expect(it.did.slice(3)).toEqual(away([busy]));
    await sweeper.stop();
    expect(it.calls).toEqual([]);
    expect(it.did.join()).not.toContain(open);
  });
});
