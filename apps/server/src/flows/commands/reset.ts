import { type Command, named } from "./command.ts";

/** A run that is under way goes on to its end with what it remembers; the next one begins afresh. */
export const reset: Command = {
  about: "Drops what the agents remember of this: their next runs begin afresh.",
  keepsQuiet: false,
  plan(lanes, by) {
    const remembering = lanes.filter(({ remembers, run }) => remembers || run === "working");
    if (remembering.length === 0)
      return { kind: "refused", why: `there is nothing to drop: ${named(lanes)} remembers nothing of this` };
    return {
      kind: "done",
      why: `dropped the session of ${named(remembering)}: the next run begins afresh`,
      acts: remembering.map((lane) => ({ kind: "reset", lane, by })),
    };
  },
};
