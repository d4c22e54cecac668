import fc from "fast-check";
import type { LaneKey, SessionId } from "../../../domain/ids.ts";
import type { ManualClock } from "../../clock.ts";
import type { SessionStore } from "../sessions.ts";

export const hour = 3_600_000;
export const maxAgeMs = 24 * hour;
export const lane = "dev:0197-1" as LaneKey;
export const other = "reviewer:0197-1" as LaneKey;
export const first = "11111111-1111-4111-8111-111111111111" as SessionId;
export const second = "22222222-2222-4222-8222-222222222222" as SessionId;

/** One call of the store, or a turn of the clock's hands. */
export type Step =
  | { do: "set"; lane: LaneKey; id: SessionId }
  | { do: "get" | "delete" | "pause" | "unpause"; lane: LaneKey }
  | { do: "sweep" | "live" }
  | { do: "clock"; ms: number };

const anyLane = fc.constantFrom(lane, other, "dev:third" as LaneKey);

export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("set" as const), lane: anyLane, id: fc.constantFrom(first, second) }),
  fc.record({ do: fc.constantFrom("get" as const, "delete" as const), lane: anyLane }),
  fc.record({ do: fc.constantFrom("pause" as const, "unpause" as const), lane: anyLane }),
  fc.record({ do: fc.constantFrom("sweep" as const, "live" as const) }),
  fc.record({
    do: fc.constant("clock" as const),
    ms: fc.constantFrom(1, hour, 12 * hour, maxAgeMs, maxAgeMs + 1, -1, -hour, -30 * hour),
  }),
);

export async function playOnStore(store: SessionStore, clock: ManualClock, step: Step): Promise<unknown> {
  switch (step.do) {
    case "set":
      return store.setSession(step.lane, step.id);
    case "get":
      return store.getSession(step.lane);
    case "delete":
      return store.deleteSession(step.lane);
    case "pause":
      return store.pauseSession(step.lane);
    case "unpause":
      return store.unpauseSession(step.lane);
    case "sweep":
      return store.sweepStaleSessions();
    case "live":
      return (await store.listLiveSessionIds()).toSorted();
    case "clock":
      return clock.set(clock.now() + step.ms);
    default:
      return step satisfies never;
  }
}

interface Remembered {
  id: SessionId;
  usedAt: number;
  /** The age that came together before `since`. */
  gathered: number;
  /** Null while it is paused. */
  since: number | null;
}

/** The store's rule in memory: an age that was gathered, and since when it counts on. */
export class SessionModel {
  readonly #sessions = new Map<LaneKey, Remembered>();

  play(step: Step, now: number): unknown {
    switch (step.do) {
      case "set": {
        const paused = this.#sessions.get(step.lane)?.since === null;
        this.#sessions.set(step.lane, { id: step.id, usedAt: now, gathered: 0, since: paused ? null : now });
        return undefined;
      }
      case "get":
        return this.#get(step.lane, now);
      case "delete":
        return this.#sessions.delete(step.lane);
      case "pause":
        return this.#pause(step.lane, now);
      case "unpause":
        return this.#unpause(step.lane, now);
      case "sweep":
        return this.#sweep(now);
      case "live": {
        const live = [...this.#sessions.values()].filter((session) => age(session, now) <= maxAgeMs);
        return live.map(({ id }) => id).toSorted();
      }
      case "clock":
        return undefined;
      default:
        return step satisfies never;
    }
  }

  #get(key: LaneKey, now: number): unknown {
    const session = this.#sessions.get(key);
    if (!session) return null;
    meet(session, now);
    session.usedAt = Math.min(session.usedAt, now);
    if (age(session, now) <= maxAgeMs) return { lane: key, id: session.id, lastUsedAt: session.usedAt };
    this.#sessions.delete(key);
    return null;
  }

  #pause(key: LaneKey, now: number): boolean {
    const session = this.#sessions.get(key);
    if (!session || session.since === null) return false;
    Object.assign(session, { gathered: age(session, now), since: null });
    return true;
  }

  #unpause(key: LaneKey, now: number): boolean {
    const session = this.#sessions.get(key);
    if (session?.since !== null) return false;
    session.since = now;
    return true;
  }

  #sweep(now: number): number {
    const before = this.#sessions.size;
    for (const [key, session] of this.#sessions) {
      meet(session, now);
      if (age(session, now) > maxAgeMs) this.#sessions.delete(key);
    }
    return before - this.#sessions.size;
  }
}

const age = ({ gathered, since }: Remembered, now: number): number =>
  since === null ? gathered : Math.max(0, gathered + now - since);

/** Seen at a time from which its age would be less than nothing: it is nothing from here on. */
function meet(session: Remembered, now: number): void {
  if (session.since !== null && session.gathered + now - session.since < 0)
    Object.assign(session, { gathered: 0, since: now, usedAt: Math.min(session.usedAt, now) });
}
