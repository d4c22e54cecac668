import type { LaneKey } from "../domain/ids.ts";

/** The reason with which the signal of a run is aborted that a person stopped. */
export class StoppedByPerson extends Error {
  override readonly name = "StoppedByPerson";
}

interface LiveRun {
  stop: AbortController;
  /** Its lane's inbox has something new. */
  news: () => void;
}

/** Runs whose agents work in this process, so that what happens meanwhile reaches them. */
export class LiveRuns {
  readonly #lanes = new Map<LaneKey, LiveRun>();

  /** Until disposed; a lane has one run at a time. */
  enter(lane: LaneKey, run: LiveRun): Disposable {
    this.#lanes.set(lane, run);
    return { [Symbol.dispose]: () => void this.#lanes.delete(lane) };
  }

  has(lane: LaneKey): boolean {
    return this.#lanes.has(lane);
  }

  news(lane: LaneKey): void {
    this.#lanes.get(lane)?.news();
  }

  /** `why` is a sentence for people, with who did it. */
  stop(lane: LaneKey, why: string): void {
    this.#lanes.get(lane)?.stop.abort(new StoppedByPerson(why));
  }
}
