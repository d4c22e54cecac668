import type { Session, SessionLookup, SessionStart } from "../domain/session.ts";
import { duration } from "../domain/session-text.ts";

/** How a run will begin: with a session to resume, or afresh, and why. */
export interface SessionChoice {
  start: SessionStart;
  resume: Session | null;
}

/** The first steps of the ladder, before any process is spent: none, expired, resumed. */
export function chooseSession(lookup: SessionLookup): SessionChoice {
  switch (lookup.kind) {
    case "none":
      return { start: { kind: "fresh", reason: "none", detail: null }, resume: null };
    case "expired": {
      const detail = `${duration(lookup.ageMs)}, limit ${duration(lookup.maxAgeMs)}`;
      return { start: { kind: "fresh", reason: "expired", detail }, resume: null };
    }
    case "live":
      return { start: { kind: "resumed", lastUsedAt: lookup.session.lastUsedAt }, resume: lookup.session };
    default:
      return lookup satisfies never;
  }
}
