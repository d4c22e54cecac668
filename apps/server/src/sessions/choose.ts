import type { SessionId } from "../domain/ids.ts";
import type { Session, SessionLookup, SessionStart } from "../domain/session.ts";
import { duration } from "../domain/session-text.ts";
import type { TranscriptFound } from "../domain/transcript.ts";

/** How a run will begin: with a session to resume, or afresh, and why. */
export interface SessionChoice {
  start: SessionStart;
  resume: Session | null;
  /** The session that is given up before anything is started, and the reason under which that counts as a failed resume, if it does. */
  drop: { session: SessionId; counts: "transcript-missing" | null } | null;
}

/** A look-up, and for a live session what is stored of its transcript. */
export type SessionKnown =
  | Exclude<SessionLookup, { kind: "live" }>
  | { kind: "live"; session: Session; transcript: TranscriptFound };

/** The steps of the ladder before any process is spent: none, expired, transcript missing, full, resumed. */
export function chooseSession(known: SessionKnown): SessionChoice {
  switch (known.kind) {
    case "none":
      return afresh({ kind: "fresh", reason: "none", detail: null });
    case "expired": {
      const detail = `${duration(known.ageMs)}, limit ${duration(known.maxAgeMs)}`;
      return afresh({ kind: "fresh", reason: "expired", detail });
    }
    case "live":
      return chooseLive(known.session, known.transcript);
    default:
      return known satisfies never;
  }
}

function chooseLive(session: Session, found: TranscriptFound): SessionChoice {
  switch (found.kind) {
    case "readable":
      return { start: { kind: "resumed", lastUsedAt: session.lastUsedAt }, resume: session, drop: null };
    case "missing":
      return afresh(
        { kind: "fresh", reason: "transcript-missing", detail: found.detail },
        { session: session.id, counts: "transcript-missing" },
      );
    case "full":
      return afresh(
        { kind: "fresh", reason: "transcript-full", detail: found.detail },
        { session: session.id, counts: null },
      );
    default:
      return found satisfies never;
  }
}

const afresh = (start: SessionStart, drop: SessionChoice["drop"] = null): SessionChoice => ({
  start,
  resume: null,
  drop,
});
