import { z } from "zod";

const milliseconds = z.number().describe("ms since the epoch");

export const SessionSummary = z.object({
  lane: z.string().describe("As people read it: dev:owner/repo#430"),
  agent: z.string(),
  thread: z.string(),
  session: z.string().nullable(),
  last_used_at: milliseconds.nullable(),
  age_ms: z.number().nullable().describe("Of the session; it does not run while the lane stands still"),
  max_age_ms: z.number(),
  transcript_bytes: z.number().nullable().describe("What its stored transcript holds; null where nothing is stored"),
  transcript_max_bytes: z.number().describe("Beyond it a session is not resumed any further"),
  state: z.enum(["live", "expired", "none"]),
  stands: z.enum(["held", "archived", "parked"]).nullable().describe("Why the age does not run"),
  held_since: milliseconds.nullable().describe("Since when a person holds the lane"),
  archived_at: milliseconds.nullable(),
  run: z.string().nullable().describe("The run under way"),
});
export type SessionSummary = z.infer<typeof SessionSummary>;

export const SessionList = z.object({
  sessions: z.array(SessionSummary),
  next: z.string().nullable().describe("What `after` takes to get more; null at the end"),
});
export type SessionList = z.infer<typeof SessionList>;

export const SessionDetail = SessionSummary.extend({
  checkout: z.string().nullable().describe("Its folder on the service's machine; null where it has none"),
  kept: z.array(z.string()).describe("Checkouts that were set aside"),
  saved: z.array(z.string()).describe("Refs in the service's mirror with work that a removed checkout had"),
  waiting_events: z.number().describe("What its agent has not been told"),
  runs: z.array(z.string()).describe("The newest runs, newest first"),
});
export type SessionDetail = z.infer<typeof SessionDetail>;

export const SessionReset = z.object({ lane: z.string(), dropped: z.boolean() });
export type SessionReset = z.infer<typeof SessionReset>;

/** The record format of a sessions file. */
export const SessionFileContent = z.record(z.string(), z.object({ id: z.string(), last_used_at: milliseconds }));
export type SessionFileContent = z.infer<typeof SessionFileContent>;

export const ImportReport = z.object({
  imported: z.array(z.string()),
  expired: z.array(z.string()),
  older: z.array(z.string()),
  faults: z.array(z.string()),
  unasked: z.array(z.string()),
});
export type ImportReport = z.infer<typeof ImportReport>;

export const TakeoverRequest = z.object({
  /** `owner/repo#12`, or a lane such as `dev:owner/repo#12`. */
  thread: z.string(),
  agent: z.string().nullable().default(null),
  /** Stops the run that is under way. */
  stop: z.boolean().default(false),
});
export type TakeoverRequest = z.input<typeof TakeoverRequest>;

export const Takeover = z.object({
  lane: z.string(),
  session: z.string().nullable(),
  held_since: milliseconds,
  run: z.object({ id: z.string(), state: z.string() }).nullable().describe("Still under way: it must end first"),
});
export type Takeover = z.infer<typeof Takeover>;

export const TakeoverTerminal = z.object({
  lane: z.string(),
  checkout: z.string(),
  session: z.string(),
  command: z.array(z.string()).describe("Opens the session in a terminal of the service's machine"),
});
export type TakeoverTerminal = z.infer<typeof TakeoverTerminal>;

export const Handback = z.object({ lane: z.string(), waiting: z.boolean().describe("Work waits in the lane") });
export type Handback = z.infer<typeof Handback>;
