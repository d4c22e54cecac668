import type { RunFailure } from "../domain/run.ts";

export type NextStep = { kind: "retry"; dueAt: number; countAttempt: boolean } | { kind: "fail" };

interface RetryInputs {
  failure: RunFailure;
  /** Counted ones, this one included. */
  attempts: number;
  /** All runs of the task, counted or not: interruptions are free, but not for ever. */
  runs: number;
  maxAttempts: number;
  now: number;
}

const firstDelayMs = 15_000;
const longestDelayMs = 15 * 60_000;
const interruptionsPerAttempt = 5;

/** Whether and when a failed run is tried again; the delay doubles, and nothing is tried for ever. */
export function afterFailure({ failure, attempts, runs, maxAttempts, now }: RetryInputs): NextStep {
  if (!failure.retryable) return { kind: "fail" };
  if (failure.kind === "interrupted") {
    return runs >= maxAttempts * interruptionsPerAttempt
      ? { kind: "fail" }
      : { kind: "retry", dueAt: now, countAttempt: false };
  }
  if (attempts >= maxAttempts) return { kind: "fail" };
  const delay = Math.min(longestDelayMs, firstDelayMs * 2 ** (attempts - 1));
  const dueAt =
    failure.kind === "model-limited" && failure.untilMs !== null ? Math.max(now + delay, failure.untilMs) : now + delay;
  return { kind: "retry", dueAt, countAttempt: true };
}
