import type { LaneKey } from "../domain/ids.ts";

/** Ends the agent that works in a lane, as the stop of the service would. */
export class LaneStops {
  readonly #working = new Map<LaneKey, AbortController>();

  async during<T>(lane: LaneKey, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const own = new AbortController();
    this.#working.set(lane, own);
    try {
      return await work(AbortSignal.any([signal, own.signal]));
    } finally {
      this.#working.delete(lane);
    }
  }

  stop(lane: LaneKey, why: string): void {
    this.#working.get(lane)?.abort(new Error(why));
  }
}
