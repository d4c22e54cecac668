import type { SessionStart } from "./session.ts";

/** "resumed, last used 3 h ago", or "started fresh" with the reason. */
export function startText(start: SessionStart, at: number): string {
  if (start.kind === "resumed") return `resumed, last used ${duration(Math.max(0, at - start.lastUsedAt))} ago`;
  switch (start.reason) {
    case "none":
      return "started fresh: the first run here";
    case "expired":
      return `started fresh: the session expired${start.detail === null ? "" : ` (${start.detail})`}`;
    case "transcript-missing":
      return `started fresh: the transcript was missing${start.detail === null ? "" : ` (${start.detail})`}`;
    case "transcript-full":
      return `started fresh: the session had grown too large${start.detail === null ? "" : ` (${start.detail})`}`;
    case "resume-failed":
      return `started fresh: the earlier session could not be resumed${start.detail === null ? "" : ` (${start.detail})`}`;
    default:
      return start.reason satisfies never;
  }
}

/** A time as people say it: 40 s, 3 min, 25 h, 4 days. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
