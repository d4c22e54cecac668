import type { ForgeError } from "../domain/forge.ts";

export type AfterRefusal =
  | { kind: "retry"; at: number }
  /** A person has to look; `advice` says what to do. */
  | { kind: "park"; advice: string };

export const maxAttempts = 8;
const firstDelayMs = 2_000;
/** A request that was not answered may still be carried out: time for it to show before it is looked for again. */
const ambiguousDelayMs = 10_000;
const factor = 3;
const longestDelayMs = 30 * 60_000;
const longestRetryAfterMs = 60 * 60_000;

interface Inputs {
  error: ForgeError;
  /** Tries so far, this one included. */
  attempts: number;
  now: number;
  /** From 0 up to 1: spreads those that failed together. */
  random: number;
}

/**
 * Growing delays with jitter, a quarter of an hour to an hour and a half for all eight tries, so that a forge may be upgraded meanwhile;
 * Retry-After where the forge names it. What no retry can mend is parked at once.
 */
export function afterRefusal({ error, attempts, now, random }: Inputs): AfterRefusal {
  const advice = adviceFor(error);
  if (advice !== null) return { kind: "park", advice };
  if (attempts >= maxAttempts)
    return { kind: "park", advice: `It was tried ${attempts} times: mend the forge, then start the agent again.` };
  const first = error.ambiguous ? ambiguousDelayMs : firstDelayMs;
  const delay = Math.min(longestDelayMs, first * factor ** (attempts - 1));
  const asked = Math.min(error.retryAfterMs ?? 0, longestRetryAfterMs);
  return { kind: "retry", at: now + Math.round(Math.max(asked, delay / 2) + (delay / 2) * random) };
}

/** Null where waiting can help. */
function adviceFor(error: ForgeError): string | null {
  switch (error.kind) {
    case "unauthorized":
      return "Then restart the service and start the agent again.";
    case "forbidden":
    case "archived":
      return "Then start the agent again.";
    case "invalid":
      return "Look at what the forge says of it, then start the agent again.";
    case "not-found":
      return "If it was deleted on purpose, there is nothing to do.";
    case "conflict":
    case "rate-limited":
    case "unavailable":
    case "unexpected-answer":
      return null;
    default:
      return error.kind satisfies never;
  }
}
