import type { SessionId } from "../domain/ids.ts";
import type { SessionTotals } from "../domain/session.ts";

/** One turn's end. A run can have several: a background task that finishes starts another turn. */
export interface ResultMessage {
  kind: "result";
  /** Never true for a turn that ended on an error of the API. */
  ok: boolean;
  /** The agent's last words, or what it says went wrong. */
  text: string;
  /** Why the turn ended, in the runtime's own words: `max_turns`, `api_error`, `prompt_too_long`, … */
  reason: string | null;
  /** The API's status, where the turn ended on its answer. */
  apiStatus: number | null;
  turns: number;
  /** Null where the runtime reports none, as on a failed start. */
  totals: SessionTotals | null;
  /** Messages that it was sent and has not begun to answer. */
  queued: number;
  /** What {@link AgentSession.push} answered for the messages that this turn was given. */
  told: readonly string[];
}

/** What an agent does, in our own words. `nested` is the work of a sub-agent. Untrusted: an agent can forge its own stream. */
export type AgentMessage =
  | { kind: "init"; session: SessionId; model: string; tools: readonly string[] }
  | { kind: "text"; text: string; nested: boolean }
  | { kind: "tool-use"; id: string; name: string; input: string; nested: boolean }
  | { kind: "tool-result"; id: string; failed: boolean; nested: boolean }
  | { kind: "api-retry"; attempt: number; status: number | null; error: string }
  | { kind: "api-error"; status: number | null; error: string; text: string }
  | { kind: "rate-limit"; rejected: boolean; resetsAt: number | null }
  /** How many background tasks are under way that can start another turn. */
  | { kind: "background"; tasks: number }
  | ResultMessage
  | { kind: "other"; type: string };

export interface AgentStart {
  model: string;
  /** Comes after the agent's own instructions. */
  systemPrompt: string;
  tools: readonly string[];
  maxTurns: number | null;
  resume: SessionId | null;
  /** Every message as it came, as JSON text of at most 64 KB; longer ones are cut and say so. */
  onRaw: (json: string) => void;
}

/**
 * A live agent process. `messages` can be read once; it ends when the process has ended, and throws where the process
 * failed to start or ended otherwise than by a result. Disposing kills what is left and waits for its end.
 */
export interface AgentSession extends AsyncDisposable {
  readonly messages: AsyncIterable<AgentMessage>;
  /**
   * While it works, the message joins the turn; else it begins one. Its text is never read as a command or a file mention.
   * Answers an id, by which {@link ResultMessage.told} names the message.
   */
  push(text: string): string;
  /** No further message will come: the agent finishes what it has and exits. */
  end(): void;
  /** Ends the turn; the session stays usable. */
  interrupt(): void;
  kill(): void;
  /** The end of what the process wrote to stderr. */
  stderrTail(): string;
}

/** A kind of agent. `start` may throw where the process cannot be started. */
export interface AgentRuntime {
  start(request: AgentStart): AgentSession;
}
