import type { LaneStatus } from "../../domain/lane.ts";
import { type Command, named } from "./command.ts";

/** What is published already is not undone, and the session stays. */
export const stop: Command = {
  about: "Interrupts the agents that work on this, and calls off what waits. Their sessions stay.",
  keepsQuiet: true,
  plan(lanes, by) {
    const stoppable = lanes.filter(({ run, waits }) => run === "working" || waits);
    if (stoppable.length === 0) return { kind: "refused", why: nothing(lanes) };
    const why = `${by} stopped it with /stop`;
    return {
      kind: "done",
      why: `stopped: ${named(stoppable)}`,
      acts: stoppable.map((lane) => ({ kind: "stop", lane, why })),
    };
  },
};

function nothing(lanes: readonly LaneStatus[]): string {
  const publishing = lanes.filter(({ run }) => run === "publishing");
  if (publishing.length === 0) return "there is nothing to stop: no agent works on this, and none is about to";
  return `it is too late to stop ${named(publishing)}: the work is done, and is being published`;
}
