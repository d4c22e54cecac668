import { z } from "zod";

export * from "./sessions.ts";

/** Where the HTTP API lies on the service's unix socket. */
export const apiPrefix = "/api/v1";

const milliseconds = z.number().describe("ms since the epoch");

export const RunSummary = z.object({
  id: z.string(),
  lane: z.string().describe("As people read it: dev:owner/repo#430"),
  thread: z.string(),
  agent: z.string(),
  skill: z.string(),
  attempt: z.number(),
  state: z.string(),
  outcome: z.enum(["running", "succeeded", "failed", "cancelled"]),
  failure: z.string().nullable().describe("Why it did not do its work, in words"),
  start: z.string().nullable().describe("How its session began, in words"),
  session: z.string().nullable(),
  branch: z.string(),
  commits: z.number(),
  pull_request: z.number().nullable(),
  turns: z.number().nullable(),
  cost_usd: z.number().nullable(),
  started_at: milliseconds,
  finished_at: milliseconds.nullable(),
});
export type RunSummary = z.infer<typeof RunSummary>;

export const RunDetail = RunSummary.extend({
  cause: z.string().describe("The event that made its task, in words"),
  head_before: z.string().nullable(),
  head_after: z.string().nullable(),
  summary: z.string().nullable().describe("The agent's last words"),
  state_times: z.record(z.string(), milliseconds),
  effects: z.array(
    z.object({
      key: z.string(),
      kind: z.string(),
      state: z.string(),
      url: z.string().nullable(),
      error: z.string().nullable(),
    }),
  ),
});
export type RunDetail = z.infer<typeof RunDetail>;

export const RunList = z.object({ runs: z.array(RunSummary) });
export type RunList = z.infer<typeof RunList>;

/** One entry of a run's stored stream, as the agent's process printed it. */
export const StreamEntry = z.object({ seq: z.number(), at: milliseconds, message: z.unknown() });
export type StreamEntry = z.infer<typeof StreamEntry>;

export const ExplainedDecision = z.object({
  flow: z.string(),
  matched: z.boolean(),
  why: z.string(),
  saw: z.record(z.string(), z.unknown()),
});

export const ExplainedEvent = z.object({
  id: z.string(),
  kind: z.string(),
  semantic_key: z.string(),
  thread: z.string().nullable(),
  actor: z.string(),
  received_at: milliseconds,
  delivery: z.string().nullable(),
  decided: z.boolean(),
  decisions: z.array(ExplainedDecision),
});
export type ExplainedEvent = z.infer<typeof ExplainedEvent>;

export const Explanation = z.object({
  subject: z.string(),
  deliveries: z.array(
    z.object({
      id: z.string(),
      uuid: z.string(),
      event: z.string(),
      received_at: milliseconds,
      state: z.string(),
      reason: z.string().nullable(),
    }),
  ),
  events: z.array(ExplainedEvent),
  runs: z.array(RunSummary),
});
export type Explanation = z.infer<typeof Explanation>;

export const Status = z.object({
  version: z.string(),
  started_at: milliseconds,
  running: z.number(),
  queued: z.number(),
  parked_effects: z.number(),
  jail: z.record(z.string(), z.string()),
  broker: z.string().describe("up, restarting, or down: then no agent reaches the model"),
});
export type Status = z.infer<typeof Status>;

export const ApiError = z.object({ error: z.string() });
export type ApiError = z.infer<typeof ApiError>;
