import type { LaneKey } from "../domain/ids.ts";
import type { AgentOutcome } from "../domain/run.ts";

/** Ends the agent that works in a lane, as the stop of the service would. */
export class LaneStops {
  readonly #working = new Map<LaneKey, AbortController>();

  /** An outcome that a stop made says why it was stopped. */
  async during(
    lane: LaneKey,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<AgentOutcome>,
  ): Promise<AgentOutcome> {
    const own = new AbortController();
    this.#working.set(lane, own);
    try {
      const outcome = await work(AbortSignal.any([signal, own.signal]));
      if (!own.signal.aborted || outcome.kind !== "failed" || outcome.failure.kind !== "interrupted") return outcome;
      const why: unknown = own.signal.reason;
      return { ...outcome, failure: { ...outcome.failure, detail: why instanceof Error ? why.message : String(why) } };
    } finally {
      this.#working.delete(lane);
    }
  }

  stop(lane: LaneKey, why: string): void {
    this.#working.get(lane)?.abort(new Error(why));
  }
}
