import type { HoldKind } from "../domain/hold.ts";
import type { LaneKey } from "../domain/ids.ts";
import type { Log } from "../domain/log.ts";

/** What became of the work in a checkout that is to go. */
export type PutAway =
  | { kind: "nothing" }
  | { kind: "saved"; ref: string; commits: number; changes: number }
  /** The folder was set aside whole. */
  | { kind: "kept"; path: string; why: string }
  /** Nothing was removed; another try can help. */
  | { kind: "failed"; detail: string };

export interface TidyDeps {
  log: Log;
  holds: {
    hold(lane: LaneKey, kind: HoldKind): Promise<boolean>;
    release(lane: LaneKey, kind: HoldKind): Promise<boolean>;
  };
  /** A run of the lane is under way, or waits to go on. */
  isRunning(lane: LaneKey): Promise<boolean>;
  /** Saves what is not on the forge, and removes the checkout or sets it aside. */
  putAway(lane: LaneKey, signal: AbortSignal): Promise<PutAway>;
  /** The lane may run again. */
  wake(lane: LaneKey): void;
}

/** `in-use`: by a run or a person; nothing was touched. */
export type Tidied = PutAway | { kind: "in-use" };

/**
 * Puts a lane's checkout away while no run of it can start: first its work is safe, then it goes. `more` is done under
 * the same hold, where nothing had to be kept.
 */
export async function tidyLane(
  deps: TidyDeps,
  lane: LaneKey,
  signal: AbortSignal,
  more: () => Promise<void> = async () => {},
): Promise<Tidied> {
  if (!(await deps.holds.hold(lane, "tidying"))) return { kind: "in-use" };
  try {
    // After the hold, so that no run slips in between.
    if (await deps.isRunning(lane)) return { kind: "in-use" };
    const away = await deps.putAway(lane, signal);
    if (away.kind === "saved")
      deps.log.info({ lane, ...away }, "work that was not on the forge is saved in the mirror");
    if (away.kind === "kept")
      deps.log.warn({ lane, ...away }, "a checkout could not be saved by git and is kept as it is");
    if (away.kind === "failed")
      deps.log.warn({ lane, detail: away.detail }, "a checkout stays: its work could not be saved now");
    if (away.kind === "nothing" || away.kind === "saved") await more();
    return away;
  } finally {
    await deps.holds.release(lane, "tidying");
    deps.wake(lane);
  }
}
