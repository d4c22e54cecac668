import { createHash } from "node:crypto";
import type { CommentRef, Observation, RepositoryRef, Snapshot } from "../domain/event.ts";

type Review = Extract<Observation, { kind: "review" }>;
type Push = Extract<Observation, { kind: "push" }>;
type Ci = Extract<Observation, { kind: "ci" }>;

/**
 * Semantic keys: one happening has one, whether a webhook, its replay or a look at the forge brought it. Forges' times have
 * whole seconds, so where two happenings of a kind fit into one second a hash of the content tells them apart.
 */
export const keys = {
  of: ({ kind, number }: Pick<Snapshot, "kind" | "number">, ...happening: (string | number)[]): string =>
    [kind === "issue" ? "issue" : "pull", number, ...happening].join(":"),

  edited: (subject: Snapshot): string =>
    keys.of(subject, "edited", subject.updatedAt, digest(subject.title, subject.body, subject.pull?.baseBranch ?? "")),

  comment: ({ id, updatedAt, body }: CommentRef, action: "created" | "edited" | "deleted"): string =>
    action === "edited" ? `comment:${id}:edited:${updatedAt}:${digest(body)}` : `comment:${id}:${action}`,

  /** Webhooks of Forgejo name no review. */
  review: ({ subject, actor, verdict, body }: Review): string =>
    keys.of(subject, "review", actor.id, subject.pull?.headSha ?? "", verdict, subject.updatedAt, digest(body)),

  /** With `before`, so that a branch which is forced back to an old commit is pushed again. */
  push: ({ branch, before, after }: Push): string => `push:${branch}:${before}:${after}`,

  /** A run that is started again keeps its id and ends at another time. */
  ci: ({ runId, outcome, finishedAt }: Ci): string => `ci:${runId}:${outcome}:${finishedAt}`,

  /** The whole key: what comes before is unique in one repository only. */
  in: ({ forge, id }: RepositoryRef, key: string): string => `${forge}/${id}/${key}`,
};

function digest(...parts: string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}
