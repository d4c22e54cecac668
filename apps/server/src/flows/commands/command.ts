import type { LaneAct, LaneStatus } from "../../domain/lane.ts";

/** What a command does to the lanes that it is about, or why it does nothing; `why` is a sentence for people. */
export type CommandPlan = { kind: "done"; why: string; acts: readonly LaneAct[] } | { kind: "refused"; why: string };

/** One command of people with write access: `/name [agent type]` on a line of its own in a comment. */
export interface Command {
  about: string;
  /** A comment that holds it starts no work, whatever else it says. */
  keepsQuiet: boolean;
  /** `lanes` are those of the thread, or the one that was named; at least one. */
  plan(lanes: readonly LaneStatus[], by: string): CommandPlan;
}

export const named = (lanes: readonly LaneStatus[]): string => lanes.map(({ agentType }) => agentType).join(", ");
