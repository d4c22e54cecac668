import type { ForgeError } from "../domain/forge.ts";

export type AfterRefusal =
  | { kind: "retry"; at: number }
  /** A person has to look; `advice` says what to do. */
  | { kind: "park"; advice: string };

export const maxAttempts = 8;
const firstDelayMs = 2_000;
const longestDelayMs = 5 * 60_000;

interface Inputs {
  error: ForgeError;
  /** Tries so far, this one included. */
  attempts: number;
  now: number;
  /** From 0 up to 1: spreads those that failed together. */
  random: number;
}

/** Doubling delays with jitter, Retry-After where the forge names it, eight tries; what no retry can mend is parked at once. */
export function afterRefusal({ error, attempts, now, random }: Inputs): AfterRefusal {
  const advice = adviceFor(error);
  if (advice !== null) return { kind: "park", advice };
  if (attempts >= maxAttempts)
    return { kind: "park", advice: `it was tried ${attempts} times; look at the forge, then start the agent again` };
  const delay = Math.min(longestDelayMs, firstDelayMs * 2 ** (attempts - 1));
  return { kind: "retry", at: now + Math.max(error.retryAfterMs ?? 0, delay / 2 + (delay / 2) * random) };
}

function adviceFor(error: ForgeError): string | null {
  switch (error.kind) {
    case "unauthorized":
      return "give the user a valid token in the configuration and restart the service";
    case "forbidden":
      return "give the user write access to the repository, and its token the scopes write:repository and write:issue";
    case "invalid":
    case "unexpected-answer":
      return error.ambiguous ? null : "the forge does not take it as it is";
    case "not-found":
      return "the repository, the issue or the branch is not there any more";
    case "archived":
      return "the repository is archived";
    case "conflict":
    case "rate-limited":
    case "unavailable":
      return null;
    default:
      return error.kind satisfies never;
  }
}
