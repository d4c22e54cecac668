import type { Clock } from "../domain/ids.ts";
import type { Timers } from "../domain/timers.ts";

/** The longest delay that `setTimeout` takes; more than it fires at once. */
const longestDelayMs = 2 ** 31 - 1;

export const systemClock: Clock = { now: () => Date.now() };

/** A delay beyond 24.8 days is cut to that: who waits for a time looks at the clock when called. */
export const systemTimers: Timers = {
  after(ms, run) {
    const timer = setTimeout(run, Math.min(Math.max(ms, 0), longestDelayMs));
    return () => clearTimeout(timer);
  },
};

/** A clock and its timers that move only when a test says so. */
export interface ManualClock extends Clock, Timers {
  /** Jumps to this time, back too, and fires no timer: what setting a computer's clock does. */
  set(now: number): void;
  /** Lets time pass: each timer that falls due fires at its own time, and what it started settles before the next one. */
  advance(ms: number): Promise<void>;
  /** Timers that are waiting. */
  pending(): number;
}

export function manualClock(start = Date.UTC(2026, 0, 5, 9)): ManualClock {
  let now = start;
  let elapsed = 0;
  const timers = new Set<{ at: number; run: () => void }>();
  const nextUntil = (end: number) =>
    [...timers].filter(({ at }) => at <= end).toSorted((left, right) => left.at - right.at)[0];
  return {
    now: () => now,
    set(time) {
      now = time;
    },
    after(ms, run) {
      const timer = { at: elapsed + Math.max(ms, 0), run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    async advance(ms) {
      const end = elapsed + ms;
      await settle();
      for (let timer = nextUntil(end); timer !== undefined; timer = nextUntil(end)) {
        timers.delete(timer);
        now += timer.at - elapsed;
        elapsed = timer.at;
        timer.run();
        await settle();
      }
      now += end - elapsed;
      elapsed = end;
    },
    pending: () => timers.size,
  };
}

/** One turn of the event loop: every promise that is ready has called back. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
