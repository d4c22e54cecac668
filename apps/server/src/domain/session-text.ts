import type { RebuiltFrom } from "./rebuild.ts";
import type { SessionStart } from "./session.ts";

/** "resumed, last used 3 h ago", or "started fresh" with the reason. */
export function startText(start: SessionStart, at: number): string {
  const rebuilt = start.kind === "fresh" && start.rebuiltFrom !== undefined ? rebuiltText(start.rebuiltFrom) : "";
  return `${beginning(start, at)}${rebuilt}`;
}

function rebuiltText({ comments, diff, summary }: RebuiltFrom): string {
  const parts = [
    ...(comments > 0 ? [`${comments} comment${comments === 1 ? "" : "s"}`] : []),
    ...(diff ? ["the diff"] : []),
    ...(summary ? ["the last summary"] : []),
  ];
  if (parts.length === 0) return "; there was nothing to rebuild it from";
  return `; rebuilt from ${parts.length === 1 ? parts[0] : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`}`;
}

function beginning(start: SessionStart, at: number): string {
  if (start.kind === "resumed") return `resumed, last used ${duration(Math.max(0, at - start.lastUsedAt))} ago`;
  switch (start.reason) {
    case "none":
      return `started fresh: ${start.detail ?? "the first run here"}`;
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
