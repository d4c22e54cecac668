import type { Clock, LaneKey } from "../../domain/ids.ts";
import type { Log } from "../../domain/log.ts";
import type { Timers } from "../../domain/timers.ts";

/** `again`: look at the lane once more, after the others that wait. `idle`: nothing until it is woken. */
export type LaneResult = "again" | "idle";

export type LaneHandler = (lane: LaneKey, signal: AbortSignal) => Promise<LaneResult>;

/** Who works on what. The database carries the truth: a wake-up that is lost costs one scan's time, nothing else. */
export interface Dispatcher {
  /** The lane has work at this time, ms since the epoch. The earliest of several counts. */
  wake(lane: LaneKey, at: number): void;
  /** Starts working; once. At most one call of `handler` for a lane at any time. */
  work(handler: LaneHandler): void;
  /**
   * Starts nothing more and lets what runs end for so long; then its signals abort, and it gets a little time to come
   * to an end. Answers the lanes that have not.
   */
  stop(graceMs: number): Promise<LaneKey[]>;
}

export interface EmbeddedOptions {
  clock: Clock;
  timers: Timers;
  log: Log;
  /** Lanes with work that is due, or when it will be; oldest first. */
  due(): Promise<readonly { lane: LaneKey; at: number }[]>;
  /** Lanes at once. */
  concurrency: number;
  scanEveryMs?: number;
  /** How long an aborted handler may take to come back. */
  abortMs?: number;
}

const longestBackoffMs = 60_000;

/** Keyed in memory, for one process. */
export function createEmbeddedDispatcher(options: EmbeddedOptions): Dispatcher {
  return new EmbeddedDispatcher(options);
}

class EmbeddedDispatcher implements Dispatcher {
  readonly #options: Required<EmbeddedOptions>;
  readonly #wanted = new Map<LaneKey, number>();
  readonly #working = new Map<LaneKey, { abort: AbortController; done: Promise<void> }>();
  /** Lanes whose handler threw: how often in a row, and not before when. */
  readonly #faults = new Map<LaneKey, { count: number; until: number }>();
  #handler: LaneHandler | null = null;
  #stopped = false;
  #cancelTimer: (() => void) | null = null;
  #cancelScan: (() => void) | null = null;

  constructor(options: EmbeddedOptions) {
    this.#options = { scanEveryMs: 1_000, abortMs: 10_000, ...options };
  }

  wake(lane: LaneKey, at: number): void {
    if (this.#stopped) return;
    this.#want(lane, at);
    this.#pump();
  }

  work(handler: LaneHandler): void {
    if (this.#handler !== null) throw new Error("the dispatcher has a handler already");
    this.#handler = handler;
    void this.#scan();
    this.#pump();
  }

  async stop(graceMs: number): Promise<LaneKey[]> {
    this.#stopped = true;
    this.#cancelTimer?.();
    this.#cancelScan?.();
    await this.#settled(graceMs);
    for (const { abort } of this.#working.values()) abort.abort(new Error("the service is stopping"));
    await this.#settled(this.#options.abortMs);
    return [...this.#working.keys()];
  }

  #want(lane: LaneKey, at: number): void {
    this.#wanted.set(lane, Math.min(at, this.#wanted.get(lane) ?? at));
  }

  /** When the lane may be started: when it wants to, and not within the pause after a fault. */
  #startOf(lane: LaneKey, at: number): number {
    return Math.max(at, this.#faults.get(lane)?.until ?? at);
  }

  /** Starts what may start, longest due first, and sets the timer for what comes next. */
  #pump(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    if (this.#stopped || this.#handler === null) return;
    const now = this.#options.clock.now();
    const waiting = [...this.#wanted]
      .filter(([lane]) => !this.#working.has(lane))
      .map(([lane, at]) => ({ lane, at: this.#startOf(lane, at) }))
      .toSorted((left, right) => left.at - right.at);
    for (const { lane, at } of waiting) {
      if (this.#working.size >= this.#options.concurrency) return;
      if (at > now) {
        this.#cancelTimer = this.#options.timers.after(at - now, () => this.#pump());
        return;
      }
      this.#start(lane, this.#handler);
    }
  }

  #start(lane: LaneKey, handler: LaneHandler): void {
    this.#wanted.delete(lane);
    const abort = new AbortController();
    const done = this.#run(lane, handler, abort.signal).then(() => {
      this.#working.delete(lane);
      // By a timer, so that a handler that only says "again" cannot keep the event loop to itself.
      if (!this.#stopped) this.#options.timers.after(0, () => this.#pump());
    });
    this.#working.set(lane, { abort, done });
  }

  async #run(lane: LaneKey, handler: LaneHandler, signal: AbortSignal): Promise<void> {
    try {
      const result = await handler(lane, signal);
      this.#faults.delete(lane);
      if (result === "again") this.#want(lane, this.#options.clock.now());
    } catch (error) {
      const count = (this.#faults.get(lane)?.count ?? 0) + 1;
      const backoffMs = Math.min(1_000 * 2 ** (count - 1), longestBackoffMs);
      const until = this.#options.clock.now() + backoffMs;
      this.#faults.set(lane, { count, until });
      this.#want(lane, until);
      this.#options.log.error({ lane, error, faults: count, backoffMs }, "work on a lane failed; trying again later");
    }
  }

  /** One after the other: a slow database is not asked twice at once. */
  async #scan(): Promise<void> {
    try {
      for (const { lane, at } of await this.#options.due()) if (!this.#working.has(lane)) this.#want(lane, at);
    } catch (error) {
      this.#options.log.error({ error }, "cannot ask the database what is due; asking again");
    }
    if (this.#stopped) return;
    this.#cancelScan = this.#options.timers.after(this.#options.scanEveryMs, () => void this.#scan());
    this.#pump();
  }

  /** Waits until nothing runs, at most so long. */
  async #settled(ms: number): Promise<void> {
    if (this.#working.size === 0) return;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.timers.after(ms, resolve);
    await Promise.race([Promise.all([...this.#working.values()].map(({ done }) => done)), late]);
    cancel();
  }
}
