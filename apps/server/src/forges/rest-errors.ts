import { z } from "zod";
import type { ForgeErrorKind } from "../domain/forge.ts";

/** What went wrong with one request; `detail` continues "GET /path …", `hint` says what to do. */
export interface Failure {
  kind: ForgeErrorKind;
  status: number | null;
  detail: string;
  hint: string;
  /** Whether a write may have been carried out all the same. */
  ambiguous?: boolean;
  retryAfterMs?: number | null;
  cause?: unknown;
}

/** The request cannot have reached anyone. */
const neverSent = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ConnectionRefused",
]);

const Coded = z.object({ code: z.string() });

export function noAnswer(cause: unknown, timeoutMs: number): Failure {
  const status = null;
  if (cause instanceof Error && cause.name === "TimeoutError") {
    const detail = `was not answered within ${timeoutMs} ms`;
    const hint = "Check that the forge is up and not overloaded.";
    return { kind: "unavailable", status, detail, hint, ambiguous: true, cause };
  }
  const { data } = Coded.safeParse(cause);
  const code = data?.code ?? (cause instanceof Error ? cause.name : "unknown");
  const unsent = neverSent.has(code);
  return {
    kind: "unavailable",
    status,
    detail: unsent ? `could not connect (${code})` : `lost the connection before the whole answer came (${code})`,
    hint: "Check that the forge is up, and that its address and certificate are right.",
    ambiguous: !unsent,
    cause,
  };
}

/** What a status outside 2xx means; `text` is the answer's body. */
export function failureOf(status: number, headers: Headers, text: string, login: string): Failure {
  const said = forgeMessage(text);
  const meaning = meaningOf(status, login);
  return {
    ...meaning,
    status,
    detail: `was answered ${status} (${meaning.kind})${said === "" ? "" : `: "${said}"`}`,
    ambiguous: status >= 500,
    retryAfterMs: retryAfterMs(headers),
  };
}

function meaningOf(status: number, login: string): { kind: ForgeErrorKind; hint: string } {
  switch (status) {
    case 401:
      return {
        kind: "unauthorized",
        hint: `Make a new token for ${login} and put it where the configuration reads it.`,
      };
    case 403:
      return {
        kind: "forbidden",
        hint: `Give ${login} access to the repository, and its token the scopes write:repository, write:issue and read:user.`,
      };
    case 404:
      return {
        kind: "not-found",
        hint: `Check that it still exists and that ${login} may read it (what is private answers 404 too).`,
      };
    case 409:
      return { kind: "conflict", hint: "It clashes with what the forge has already: look there first." };
    case 423:
      return { kind: "archived", hint: "Unarchive the repository, or stop watching it." };
    case 429:
      return { kind: "rate-limited", hint: "Wait, or raise the forge's limit for this user." };
    default:
      if (status >= 500)
        return { kind: "unavailable", hint: "Look at the forge's own log; try again when it is well." };
      return { kind: "invalid", hint: "The forge refuses this request as it stands: trying again does not help." };
  }
}

const ForgeMessage = z.object({ message: z.string() });

/** One short line of what the forge said, without control characters. */
function forgeMessage(text: string): string {
  const message = readMessage(text);
  return message
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim()
    .slice(0, 200);
}

function readMessage(text: string): string {
  try {
    return ForgeMessage.safeParse(JSON.parse(text)).data?.message ?? "";
  } catch {
    return "";
  }
}

/** Retry-After in seconds, or as a date against the answer's own Date: the forge's clock need not be ours (RFC 9110, 10.2.3). */
function retryAfterMs(headers: Headers): number | null {
  const value = headers.get("Retry-After")?.trim() ?? "";
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const wait = Date.parse(value) - Date.parse(headers.get("Date") ?? "");
  return Number.isFinite(wait) ? Math.max(0, wait) : null;
}
