import type { LaneKey } from "./ids.ts";

/** Why no run of a lane may start: a person works in it, or the service puts its checkout away. */
export type HoldKind = "takeover" | "tidying";

export interface Hold {
  lane: LaneKey;
  kind: HoldKind;
  /** Milliseconds since the epoch. */
  since: number;
}
