import type { ForgeEvent, Snapshot } from "../domain/event.ts";
import type { Thread } from "../domain/thread.ts";

/** What an event means for a thread's work, by the newest known state of what it happened to. */
export type WorkChange = "ends" | "goes-on" | null;

/**
 * Work ends when its issue is closed or our pull request for it is merged; a person's own pull request also when it is
 * closed. Deliveries come in any order, so what counts is the newest state and not what the event says.
 */
export function workChange(
  event: ForgeEvent,
  thread: Pick<Thread, "kind">,
  newest: Pick<Snapshot, "state" | "pull"> | null,
): WorkChange {
  if (newest === null) return null;
  const { kind } = event;
  if (newest.state === "open") return kind === "issue.reopened" || kind === "pull_request.reopened" ? "goes-on" : null;
  if (kind === "issue.closed") return "ends";
  if (kind === "pull_request.merged") return newest.pull?.merged === true ? "ends" : null;
  if (kind === "pull_request.closed") return thread.kind === "pull_request" ? "ends" : null;
  return null;
}
