import { z } from "zod";
import { eventKinds } from "./contexts.ts";

const words = (what: string) => z.array(z.string(`a list of ${what}`).min(1, `a list of ${what}`), `a list of ${what}`);

const repositoryName = z
  .string('a list of repositories as "owner/repo"')
  .regex(/^[^/\s*]+\/[^/\s*]+$/, 'a repository as "owner/repo"');

export const FiltersSchema = z.strictObject(
  {
    assignee: z.literal("agent", '"agent": the assigned user is an agent\'s').optional(),
    mentions: z.literal("agent", '"agent": the text mentions an agent').optional(),
    by: z.enum(["writer", "maintainer"], "writer or maintainer").default("writer"),
    repositories: z
      .array(repositoryName, 'a list of repositories as "owner/repo"')
      .min(1, "at least one repository; leave it out for all")
      .optional(),
    labels: words("label names").min(1, "at least one label; leave it out for all").optional(),
  },
  "filters, or nothing",
);

const EventName = z.enum(eventKinds, `one of ${eventKinds.join(", ")}`);

const id = z
  .string("a name")
  .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,99}$/, "letters, digits, - and _, with a letter or _ first");

export const StepSchema = z.strictObject(
  {
    id: id.optional(),
    uses: z.string("the name of an op"),
    with: z.record(z.string(), z.unknown(), "the op's settings").default({}),
  },
  "a step with `uses` and `with`",
);

/** What a flow file is, apart from what its names stand for, which {@link loadFlows} looks up. */
export const FlowSchema = z.strictObject(
  {
    name: z.string("a short text").trim().min(1, "a short text").max(100, "a text of up to 100 characters"),
    description: z.string("a text").optional(),
    on: z.union(
      [
        EventName,
        z.array(EventName).min(1, "at least one event"),
        z.partialRecord(EventName, FiltersSchema.nullable()),
      ],
      "an event, a list of events, or events with their filters",
    ),
    if: z.union([z.string(), z.boolean()], "an expression").optional(),
    steps: z.array(StepSchema, "a list of steps").min(1, "at least one step").max(50, "up to 50 steps"),
  },
  "a flow: a map with name, on and steps",
);
const { on, if: condition } = FlowSchema.shape;

/** The parts of a faulty flow that are right by themselves. */
export const FlowParts = z.object({
  on: on.optional().catch(undefined),
  if: condition.catch(undefined),
  steps: z.array(StepSchema.optional().catch(undefined)).optional().catch(undefined),
});
export type FlowSchema = z.infer<typeof FlowSchema>;
export type StepSchema = z.infer<typeof StepSchema>;
