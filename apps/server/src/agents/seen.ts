import type { SessionId } from "../domain/ids.ts";
import type { SessionTotals } from "../domain/session.ts";
import type { AgentMessage, ResultMessage } from "./agent-runtime.ts";

/** Why we ended the process ourselves. */
export type Stop = "deadline" | "stalled" | "interrupted" | "unauthorized";

export interface Bounds {
  deadlineMs: number;
  /** Longest silence. */
  stallMs: number;
  /** How long an agent that was asked to end may take before it is killed. */
  graceMs: number;
}

/** What was seen of one agent process. */
export interface Seen {
  session: SessionId | null;
  /** How the last turn ended; `resting` says that no other has begun since. */
  result: ResultMessage | null;
  resting: boolean;
  /** Background tasks that can begin another turn. */
  tasks: number;
  /** No message came at all. */
  silent: boolean;
  turns: number;
  totals: SessionTotals | null;
  stop: Stop | null;
  /** The API's last refusal. */
  apiError: { status: number | null; error: string } | null;
  /** Set when the usage limit is reached; `resetsAt` in ms since the epoch, where the API said it. */
  limit: { resetsAt: number | null } | null;
  /** How the process failed, and the end of its stderr. */
  error: string | null;
  stderr: string;
}

export function nothingSeen(): Seen {
  return {
    session: null,
    result: null,
    resting: false,
    tasks: 0,
    silent: true,
    turns: 0,
    totals: null,
    stop: null,
    apiError: null,
    limit: null,
    error: null,
    stderr: "",
  };
}

export function note(seen: Seen, message: AgentMessage): void {
  seen.silent = false;
  switch (message.kind) {
    case "init":
      seen.session ??= message.session;
      seen.resting = false;
      return;
    case "text":
    case "tool-use":
      if (!message.nested) seen.resting = false;
      return;
    case "background":
      seen.tasks = message.tasks;
      return;
    case "api-retry":
    case "api-error":
      seen.apiError = { status: message.status, error: message.error };
      return;
    case "rate-limit":
      seen.limit = message.rejected ? { resetsAt: message.resetsAt } : null;
      return;
    case "result":
      seen.result = message;
      seen.resting = true;
      seen.turns += message.turns;
      seen.totals = message.totals ?? seen.totals;
      return;
    case "tool-result":
    case "other":
      return;
    default:
      return message satisfies never;
  }
}
