import type { RunFailure } from "../domain/run.ts";
import type { ResultMessage } from "./agent-runtime.ts";
import type { Bounds, Seen } from "./seen.ts";

/** Longer than the longest usage window, a week; the agent can forge the time, and must not park its lane for years. */
const maxLimitMs = 8 * 86_400_000;

export interface LimitContext {
  now: number;
  /** Until when the model's own answer said that we are limited; asked only after such an answer. */
  limitedUntil: () => number | null;
}

export type ResumeFailureReason = "not-found" | "invalid-id";

/**
 * Whether the session that was to be resumed is gone. The runtime has no code for it, so these are its words (SDK 0.3.330);
 * they count only from a process that did nothing.
 */
export function resumeFailure({ result, session }: Pick<Seen, "result" | "session">): ResumeFailureReason | null {
  if (result === null || result.ok || result.turns !== 0 || session !== null) return null;
  const text = result.text.replace(/^Error: /, "");
  if (text.startsWith("No conversation found with session ID")) return "not-found";
  if (text.startsWith("--resume requires a valid session ID")) return "invalid-id";
  return null;
}

/** Null where the agent did its work: its last turn ended well and nothing began after it. */
export function failureOf(seen: Seen, bounds: Bounds, context: LimitContext): RunFailure | null {
  if (seen.result?.ok && seen.resting) return null;
  if (seen.stop !== null) return stopped(seen, bounds, seen.stop);
  const failedTurn = seen.result !== null && !seen.result.ok;
  if (seen.limit !== null) return limited(seen, context);
  if (failedTurn && seen.result !== null) return turnFailure(seen, seen.result, context);
  if (seen.silent && /^(?:bwrap|setpriv|prlimit|tini):/m.test(seen.stderr))
    return { kind: "jail-failed", retryable: false, detail: `The jail did not start: ${tail(seen.stderr)}` };
  return { kind: "agent-crashed", retryable: true, detail: crash(seen) };
}

function stopped(seen: Seen, bounds: Bounds, stop: NonNullable<Seen["stop"]>): RunFailure {
  switch (stop) {
    case "deadline":
      return { kind: "agent-timeout", retryable: true, afterMs: bounds.deadlineMs };
    case "stalled":
      return { kind: "agent-stalled", retryable: true, afterMs: bounds.stallMs };
    case "interrupted":
      return { kind: "interrupted", retryable: true, detail: "The service stopped while the agent worked." };
    case "unauthorized":
      return unauthorized(seen.apiError?.status ?? null, seen.apiError?.error ?? "");
    default:
      return stop satisfies never;
  }
}

function turnFailure(seen: Seen, result: ResultMessage, context: LimitContext): RunFailure {
  const detail = result.text || result.reason || "The agent gave no reason.";
  if (result.reason === "max_turns") return { kind: "turn-limit", retryable: false, detail };
  const status = result.apiStatus ?? seen.apiError?.status ?? null;
  const error = seen.apiError?.error ?? "";
  if (result.reason !== "api_error" && result.apiStatus === null) {
    if (tooMuch.has(result.reason ?? "")) return { kind: "model-refused", retryable: false, detail };
    return { kind: "agent-error", retryable: true, detail };
  }
  if (status === 401 || status === 403 || accountErrors.has(error)) return unauthorized(status, detail);
  if (status === 429 || error === "rate_limit") return limited(seen, context);
  if (requestErrors.has(error)) return { kind: "model-refused", retryable: false, detail };
  if (status === null || status >= 500 || status === 408) return { kind: "model-unavailable", retryable: true, detail };
  return { kind: "model-refused", retryable: false, detail };
}

const tooMuch = new Set(["prompt_too_long", "blocking_limit", "image_error", "rapid_refill_breaker"]);

/** Of the runtime's own error names (SDK 0.3.330), those that a person with the account must mend. */
const accountErrors = new Set([
  "authentication_failed",
  "oauth_org_not_allowed",
  "account_on_hold",
  "verification_required",
  "cloud_credential_error",
]);

const requestErrors = new Set(["billing_error", "invalid_request", "model_not_found"]);

function unauthorized(status: number | null, said: string): RunFailure {
  const answer = [status, said].filter(Boolean).join(", ");
  const detail = `the model refused the service's credential (${answer}), or its account may not use this model.`;
  return { kind: "model-unauthorized", retryable: false, detail };
}

function limited(seen: Seen, { now, limitedUntil }: LimitContext): RunFailure {
  const said = seen.limit?.resetsAt ?? limitedUntil();
  const untilMs = said !== null && said > now ? Math.min(said, now + maxLimitMs) : null;
  const detail = seen.result?.text || "The model's usage limit is reached.";
  return { kind: "model-limited", retryable: true, detail, untilMs };
}

function crash({ error, stderr, result }: Seen): string {
  const how =
    error ?? (result === null ? "The agent ended without a result." : "The agent ended in the middle of a turn.");
  return stderr.trim() === "" ? how : `${how} Its last words: ${tail(stderr)}`;
}

const tail = (text: string): string => text.trim().slice(-2_000);
