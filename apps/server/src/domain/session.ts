import type { LaneKey, SessionId } from "./ids.ts";

/** What a lane's agent remembers, by name. */
export interface Session {
  lane: LaneKey;
  id: SessionId;
  /** Milliseconds since the epoch. */
  lastUsedAt: number;
}

/** How a run began; every fresh start says why it is fresh. */
export type SessionStart =
  | { kind: "fresh"; reason: "none" | "expired" | "resume-failed"; detail: string | null }
  | { kind: "resumed"; lastUsedAt: number };
