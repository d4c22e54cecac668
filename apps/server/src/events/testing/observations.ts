import type { Actor, CommentRef, Observation, Snapshot } from "../../domain/event.ts";
import type { ForgeId } from "../../domain/ids.ts";

export const repository = { forge: "home" as ForgeId, id: 7, name: "acme/widgets" };
export const alice: Actor = { id: 3, login: "alice" };
export const bot: Actor = { id: 4, login: "dev-bot" };
export const bob: Actor = { id: 5, login: "bob" };

/** Seconds since the start of the story: forges' times have whole seconds. */
export const at = (seconds: number): number => Date.UTC(2026, 6, 1, 10) + seconds * 1000;

export function issue(change: Partial<Snapshot> & { seconds?: number } = {}): Snapshot {
  const { seconds = 0, ...fields } = change;
  const times = { createdAt: at(0), updatedAt: at(seconds) };
  const texts = { title: "Crash", body: "It crashes", author: alice };
  return {
    kind: "issue",
    issueId: 112,
    number: 12,
    ...texts,
    state: "open",
    labels: [],
    assignees: [],
    pull: null,
    ...times,
    ...fields,
  };
}

export function pull(
  change: Partial<Snapshot> & { seconds?: number; headSha?: string; merged?: boolean } = {},
): Snapshot {
  const { headSha = "a".repeat(40), merged = false, ...fields } = change;
  const branches = { headBranch: "dev/12", headSha, baseBranch: "main", merged, draft: false };
  return issue({ kind: "pull_request", issueId: 31, number: 13, pull: branches, ...fields });
}

type SubjectObservation = Extract<Observation, { kind: "subject" }>;

export const subject = (
  action: SubjectObservation["action"],
  snapshot: Snapshot,
  reviewer: Actor | null = null,
): SubjectObservation => ({ repository, actor: alice, kind: "subject", action, subject: snapshot, reviewer });

export function comment(
  snapshot: Snapshot,
  change: Partial<CommentRef> = {},
  action: "created" | "edited" | "deleted" = "created",
): Observation {
  const { updatedAt } = snapshot;
  const fields = { id: 501, body: "hello", author: alice, url: "u", createdAt: updatedAt, updatedAt };
  return { repository, actor: alice, kind: "comment", action, subject: snapshot, comment: { ...fields, ...change } };
}
