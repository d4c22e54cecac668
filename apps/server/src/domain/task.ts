import type { EventId, LaneKey, RunId, TaskId, ThreadId } from "./ids.ts";

export type TaskState = "queued" | "running" | "parked" | "succeeded" | "failed" | "cancelled";

/** Work for one lane. A lane has at most one task that is queued or parked: later causes join it. */
export interface Task {
  id: TaskId;
  lane: LaneKey;
  agentType: string;
  thread: ThreadId;
  /** The prompt template's name. */
  skill: string;
  state: TaskState;
  /** Runs that were started for it and counted. */
  attempts: number;
  /** When it may run, ms since the epoch. */
  nextDueAt: number;
  /** The event that made it. */
  cause: EventId;
  /** The run under way. */
  run: RunId | null;
  /** Why it is parked, failed or cancelled, as a person reads it. */
  reason: string | null;
  /** Why its run is to be stopped, and the task with it. */
  stop: string | null;
  createdAt: number;
  updatedAt: number;
}
