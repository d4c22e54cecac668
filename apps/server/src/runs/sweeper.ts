import type { LaneKey, SessionId, ThreadId } from "../domain/ids.ts";
import { laneParts } from "../domain/ids.ts";
import { stampOf } from "../domain/stamp.ts";
import type { Thread } from "../domain/thread.ts";
import { type ClosedThreadsDeps, closedThreads } from "./closed-threads.ts";
import { type TidyDeps, tidyLane } from "./tidy.ts";

/** A lane's folders on this machine. */
export interface LanePlace {
  key: LaneKey;
  /** Its checkout is not empty. */
  checkout: boolean;
  kept: readonly { path: string; stamp: string }[];
}

export interface SweeperDeps extends TidyDeps, ClosedThreadsDeps {
  /** How long what is over, or was set aside, stays. */
  retentionMs(): number;
  sessions: {
    sweepStaleSessions(): Promise<number>;
    listLiveSessionIds(): Promise<SessionId[]>;
    idOf(lane: LaneKey): Promise<SessionId | null>;
  };
  life: {
    archive(thread: ThreadId): Promise<boolean>;
    archivedAt(thread: ThreadId): Promise<number | null>;
    dropArchivedBefore(time: number): Promise<LaneKey[]>;
  };
  threads: { get(id: ThreadId): Promise<Thread | null> };
  /** When a run of the lane last began or ended; null where none ever did. */
  lastRunAt(lane: LaneKey): Promise<number | null>;
  places: {
    listLanes(): Promise<LanePlace[]>;
    removeLane(lane: LaneKey): Promise<void>;
    removeKept(lane: LaneKey, stamp: string): Promise<void>;
    clearRemovals(): Promise<number>;
  };
  /** Of everything but lanes: each says how many things it removed. */
  leftovers: readonly { name: string; sweep(before: number, signal: AbortSignal): Promise<number> }[];
}

const everyMs = 6 * 3_600_000;
/** While something that is over is still in use. */
const againMs = 60_000;
/** A lane that nobody used for so long goes without asking the forge. */
const idleMs = 30 * 24 * 3_600_000;

/** Takes away what nothing needs any more; work that is not on the forge is saved first, and what is in use stays. */
export class Sweeper {
  readonly #deps: SweeperDeps;
  readonly #stop = new AbortController();
  #line: Promise<void> = Promise.resolve();
  #cancelSweep = (): void => {};
  #cancelTidy = (): void => {};

  constructor(deps: SweeperDeps) {
    this.#deps = deps;
  }

  /** Sweeps now and every six hours. */
  start(): void {
    const sweep = (): void => {
      this.#cancelSweep = this.#deps.timers.after(everyMs, sweep);
      void this.sweep();
    };
    sweep();
  }

  /** What is over is put away soon, and what of it is in use a little later. */
  tidySoon(): void {
    this.#tidyAfter(0);
  }

  async stop(): Promise<void> {
    this.#cancelSweep();
    this.#cancelTidy();
    this.#stop.abort();
    await this.#line;
  }

  /** Resolves when everything was looked at; a part that fails is told, and the others go on. */
  sweep(): Promise<void> {
    return this.#inLine(async () => {
      const deps = this.#deps;
      const before = deps.clock.now() - deps.retentionMs();
      await this.#part("archived sessions", async () => (await deps.life.dropArchivedBefore(before)).length);
      await this.#part("expired sessions", () => deps.sessions.sweepStaleSessions());
      await this.#part("closed threads", () => this.#archiveClosed());
      await this.#part("removals that were cut off", () => deps.places.clearRemovals());
      await this.#part("lanes", () => this.#sweepLanes(before));
      for (const leftover of deps.leftovers)
        await this.#part(leftover.name, () => leftover.sweep(before, this.#stop.signal));
    });
  }

  #inLine(work: () => Promise<void>): Promise<void> {
    const done = this.#line.then(async () => {
      if (!this.#stop.signal.aborted) await work();
    });
    this.#line = done.catch(() => undefined);
    return done;
  }

  async #part(name: string, sweep: () => Promise<number>): Promise<void> {
    if (this.#stop.signal.aborted) return;
    try {
      const swept = await sweep();
      if (swept > 0) this.#deps.log.info({ part: name, swept }, "swept");
    } catch (error) {
      this.#deps.log.error({ part: name, error }, "a part of the sweep failed; it is tried again at the next one");
    }
  }

  #tidyAfter(ms: number): void {
    this.#cancelTidy();
    if (this.#stop.signal.aborted) return;
    this.#cancelTidy = this.#deps.timers.after(ms, () => {
      void this.#inLine(() => this.#part("lanes", () => this.#sweepLanes(null)));
    });
  }

  /** Deliveries get lost: the forge is asked about what has a folder and is not known to be over. */
  async #archiveClosed(): Promise<number> {
    const { life, threads } = this.#deps;
    const ids = new Set<ThreadId>();
    for (const { key } of await this.#deps.places.listLanes())
      if (!(await this.#isIdle(key))) ids.add(laneParts(key).thread);
    const open: Thread[] = [];
    for (const id of ids) {
      const thread = await threads.get(id);
      if (thread !== null && (await life.archivedAt(id)) === null) open.push(thread);
    }
    let archived = 0;
    for await (const thread of closedThreads(this.#deps, open, this.#stop.signal))
      if (await life.archive(thread.id)) archived += 1;
    return archived;
  }

  /** Null instead of a time: only the checkouts of what is over. */
  async #sweepLanes(before: number | null): Promise<number> {
    const live = new Set(await this.#deps.sessions.listLiveSessionIds());
    let swept = 0;
    let inUse = false;
    for (const place of await this.#deps.places.listLanes()) {
      if (this.#stop.signal.aborted) break;
      try {
        if (before !== null) swept += await this.#sweepKept(place, before);
        const tidied = await this.#tidied(place, await this.#verdict(place, before, live));
        inUse ||= tidied === "in-use" || tidied === "failed";
        if (tidied === "nothing" || tidied === "saved") swept += 1;
      } catch (error) {
        this.#deps.log.error(
          { lane: place.key, error },
          "a lane could not be swept; it is tried again at the next sweep",
        );
      }
    }
    if (inUse) this.#tidyAfter(againMs);
    return swept;
  }

  async #tidied({ key }: LanePlace, what: "stays" | "checkout" | "lane"): Promise<string> {
    if (what === "stays") return what;
    const more = what === "lane" ? () => this.#removeLane(key) : async () => {};
    return (await tidyLane(this.#deps, key, this.#stop.signal, more)).kind;
  }

  async #verdict(
    { key, checkout }: LanePlace,
    before: number | null,
    live: ReadonlySet<SessionId>,
  ): Promise<"stays" | "checkout" | "lane"> {
    const { life, threads, sessions, log } = this.#deps;
    const { thread } = laneParts(key);
    const over = await life.archivedAt(thread);
    if (before === null) return over !== null && checkout ? "checkout" : "stays";
    if ((await threads.get(thread)) === null) {
      log.warn({ lane: key }, "a lane's folder belongs to no thread on record; look at it and remove it by hand");
      return "stays";
    }
    if (over !== null && over < before) return "lane";
    if (over !== null) return checkout ? "checkout" : "stays";
    const session = await sessions.idOf(key);
    if (session !== null && live.has(session)) return "stays";
    return (await this.#isIdle(key)) ? "lane" : "stays";
  }

  async #isIdle(lane: LaneKey): Promise<boolean> {
    return ((await this.#deps.lastRunAt(lane)) ?? 0) < this.#deps.clock.now() - idleMs;
  }

  async #removeLane(lane: LaneKey): Promise<void> {
    const place = (await this.#deps.places.listLanes()).find(({ key }) => key === lane);
    if (place?.kept.length === 0) await this.#deps.places.removeLane(lane);
  }

  async #sweepKept({ key, kept }: LanePlace, before: number): Promise<number> {
    const old = kept.filter(({ stamp }) => stamp < stampOf(before));
    for (const { stamp, path } of old) {
      this.#deps.log.info({ lane: key, path }, "a checkout that was set aside is removed: nobody came for it");
      await this.#deps.places.removeKept(key, stamp);
    }
    return old.length;
  }
}
