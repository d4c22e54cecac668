import type { Session, SessionStart } from "../domain/session.ts";

/** How a run will begin. `resume` and `drop` are never both set. */
export interface SessionChoice {
  start: SessionStart;
  /** The session to resume, or null for a fresh one. */
  resume: Session | null;
  /** A session that is over: its row goes, and no process is spent on it. */
  drop: Session | null;
}

/** A session is over once it has been unused for more than `maxAgeMs`; used exactly that long ago, it is resumed. */
export function chooseSession(session: Session | null, maxAgeMs: number, now: number): SessionChoice {
  if (session === null) return { start: { kind: "fresh", reason: "none", detail: null }, resume: null, drop: null };
  const unusedMs = now - session.lastUsedAt;
  if (unusedMs <= maxAgeMs)
    return { start: { kind: "resumed", lastUsedAt: session.lastUsedAt }, resume: session, drop: null };
  const detail = `last used ${inWords(unusedMs)} ago; sessions are kept for ${inWords(maxAgeMs)}`;
  return { start: { kind: "fresh", reason: "expired", detail }, resume: null, drop: session };
}

/** Rounded down to the largest whole unit. */
function inWords(ms: number): string {
  const units = [
    ["day", 86_400_000],
    ["hour", 3_600_000],
    ["minute", 60_000],
  ] as const;
  const [name, size] = units.find(([, unit]) => ms >= unit) ?? ["second", 1_000];
  const count = Math.floor(ms / size);
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}
