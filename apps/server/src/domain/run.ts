import type { LaneKey, RunId, SessionId, TaskId, ThreadId } from "./ids.ts";
import type { SessionStart } from "./session.ts";

export type RunState = "preparing" | "starting" | "running" | "publishing" | "reporting" | "finished";

/** Why a run did not do its work; `retryable` says whether trying again can help. */
export type RunFailure =
  | { kind: "cancelled"; retryable: false; detail: string }
  | { kind: "internal-error"; retryable: true; detail: string }
  | { kind: "interrupted"; retryable: true; detail: string }
  | { kind: "clone-failed"; retryable: true; detail: string }
  | { kind: "repository-refused"; retryable: false; detail: string }
  | { kind: "setup-failed"; retryable: false; detail: string }
  | { kind: "jail-failed"; retryable: false; detail: string }
  | { kind: "agent-crashed"; retryable: true; detail: string }
  | { kind: "agent-timeout"; retryable: true; afterMs: number }
  | { kind: "agent-stalled"; retryable: true; afterMs: number }
  | { kind: "agent-error"; retryable: true; detail: string }
  | { kind: "turn-limit"; retryable: false; detail: string }
  | { kind: "model-unauthorized"; retryable: false; detail: string }
  | { kind: "model-limited"; retryable: true; detail: string; untilMs: number | null }
  | { kind: "model-unavailable"; retryable: true; detail: string }
  | { kind: "model-refused"; retryable: false; detail: string }
  | { kind: "no-change"; retryable: false; detail: string }
  | { kind: "publish-refused"; retryable: false; detail: string }
  /** It was tried again and again without the agent; running that once more would not help. */
  | { kind: "push-failed"; retryable: false; detail: string }
  | { kind: "branch-moved"; retryable: true; detail: string }
  | { kind: "forge-failed"; retryable: true; detail: string }
  | { kind: "pull-request-not-opened"; retryable: false; detail: string };

/** What the agent's process said of its own run. Untrusted: an agent can forge its own stream. */
export interface AgentReport {
  /** Its last words, as markdown. */
  summary: string;
  turns: number;
  /** Of this run alone, US dollars. */
  costUsd: number;
  inputTokens: number;
  outputTokens: number;
}

/** How one run's agent ended. `session` is null where it never got as far as having one. */
export type AgentOutcome =
  | { kind: "completed"; report: AgentReport; session: SessionId; start: SessionStart }
  /** `report` says what it cost all the same, where the agent got as far as saying so. */
  | { kind: "failed"; failure: RunFailure; report: AgentReport | null; session: SessionId | null; start: SessionStart };

/** What became of a branch that was to be published. */
export type Published =
  | { kind: "published"; head: string; commits: number; subjects: string[]; shortstat: string; uncommitted: boolean }
  | { kind: "no-change"; head: string; uncommitted: boolean }
  | { kind: "failed"; failure: RunFailure };

/** How a run ended for its task. `suspended` was stopped in mid-way and goes on where it was after the next start. */
export type RunEnd =
  | { kind: "succeeded" }
  | { kind: "failed"; failure: RunFailure }
  | { kind: "cancelled"; why: string }
  | { kind: "suspended" };

/** The base branch and its commit when the run began, and the run's own branch on the forge then (null: not there). */
export interface RunBase {
  branch: string;
  sha: string;
  forgeHead: string | null;
}

/** One attempt of a task. Times are ms since the epoch. */
export interface Run {
  id: RunId;
  task: TaskId;
  lane: LaneKey;
  thread: ThreadId;
  agentType: string;
  skill: string;
  attempt: number;
  state: RunState;
  session: SessionId | null;
  start: SessionStart | null;
  branch: string;
  /** The branch's commit before the agent worked. */
  headBefore: string | null;
  headAfter: string | null;
  /** What its branch is published against; kept, so that publishing again after a crash expects the same. */
  base: RunBase | null;
  commits: number;
  pullRequest: number | null;
  report: AgentReport | null;
  failure: RunFailure | null;
  startedAt: number;
  /** When each state was entered. */
  stateTimes: Partial<Record<RunState, number>>;
  finishedAt: number | null;
}
