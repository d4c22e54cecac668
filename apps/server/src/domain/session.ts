import type { LaneKey, SessionId } from "./ids.ts";
import type { RebuiltFrom } from "./rebuild.ts";

/** What a lane's agent remembers, by name. */
export interface Session {
  lane: LaneKey;
  id: SessionId;
  /** Milliseconds since the epoch. */
  lastUsedAt: number;
}

/** A session with its age, for people to look at. */
export interface SessionRecord extends Session {
  ageMs: number;
  /** The age stands still: the lane is held, parked or archived. */
  stands: boolean;
  /** Since when its thread is over, ms since the epoch; null while it goes on. */
  archivedAt: number | null;
}

/** What a session has cost since it began, over all its runs; the agent's own estimate. Input counts cached tokens too. */
export interface SessionTotals {
  /** US dollars. */
  costUsd: number;
  inputTokens: number;
  outputTokens: number;
}

/** What became of a lane's session when it was asked for; an expired one is dropped by the asking. */
export type SessionLookup =
  | { kind: "live"; session: Session }
  | { kind: "expired"; lastUsedAt: number; ageMs: number; maxAgeMs: number }
  | { kind: "none" };

/** How a run began; every fresh start says why it is fresh, and one after a lost session what its prompt was rebuilt from. */
export type SessionStart =
  | { kind: "fresh"; reason: FreshReason; detail: string | null; rebuiltFrom?: RebuiltFrom }
  | { kind: "resumed"; lastUsedAt: number };

/** In the order in which they are found out; all but the last one before any process is started. */
export type FreshReason = "none" | "expired" | "transcript-missing" | "transcript-full" | "resume-failed";
