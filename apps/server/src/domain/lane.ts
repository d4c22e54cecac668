import type { LaneKey, SessionId, ThreadId } from "./ids.ts";

/** An agent type on a thread; it has had a task. */
export interface Lane {
  key: LaneKey;
  agentType: string;
  thread: ThreadId;
}

/** What is going on in a lane. A run is `publishing` once its agent has done its work, reporting included. */
export interface LaneStatus extends Lane {
  run: "working" | "publishing" | null;
  /** A task is queued or parked. */
  waits: boolean;
  /** It has a session. */
  remembers: boolean;
}

/** What a person wants done to a lane. */
export type LaneAct =
  /** Its agent is interrupted, and what waits is called off. */
  | { kind: "stop"; lane: Lane; why: string }
  /** Its session is dropped. */
  | { kind: "reset"; lane: Lane; by: string };

/** Who asks at the command line has no login here; no forge allows this one, for its space. */
export const operator = "an operator";

/** Somebody wanted a lane's agent to forget. */
export interface LaneReset {
  /** The session that it had then. */
  session: SessionId | null;
  /** The login of who asked, or {@link operator}. */
  by: string;
  /** Milliseconds since the epoch. */
  at: number;
}
