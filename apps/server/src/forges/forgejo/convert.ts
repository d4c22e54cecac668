import type { CommentRef, ReviewVerdict, Snapshot } from "../../domain/event.ts";
import type { PullRequest } from "../../domain/forge.ts";
import type { InlineComment, Review } from "../../domain/review.ts";
import type { ForgejoComment, ForgejoIssue, ForgejoPull, ForgejoReview, ForgejoReviewComment } from "./schemas.ts";

const subjectOf = (issue: Omit<ForgejoIssue, "pull_request">) => ({
  issueId: issue.id,
  number: issue.number,
  title: issue.title,
  body: issue.body,
  author: person(issue.user),
  state: issue.state,
  labels: issue.labels.map(({ name }) => name),
  assignees: issue.assignees.map(person),
  createdAt: issue.created_at,
  updatedAt: issue.updated_at,
});

const person = ({ id, login }: { id: number; login: string }) => ({ id, login });

/** `pull` is null even for a pull request: an issue's JSON does not hold its branches. */
export const issueSnapshot = (issue: ForgejoIssue): Snapshot => ({
  kind: issue.pull_request == null ? "issue" : "pull_request",
  ...subjectOf(issue),
  pull: null,
});

export const pullSnapshot = (pull: ForgejoPull): Snapshot => ({
  kind: "pull_request",
  ...subjectOf(pull),
  pull: {
    headBranch: headBranch(pull),
    headSha: pull.head.sha,
    baseBranch: pull.base.ref,
    merged: pull.merged,
    draft: pull.draft ?? false,
  },
});

export const pullRequest = (pull: ForgejoPull): PullRequest => ({
  number: pull.number,
  url: pull.html_url,
  state: pull.state,
  merged: pull.merged,
  title: pull.title,
  body: pull.body,
  author: person(pull.user),
  headBranch: headBranch(pull),
  headSha: pull.head.sha,
  baseBranch: pull.base.ref,
});

export const commentRef = (comment: ForgejoComment): CommentRef => ({
  id: comment.id,
  body: comment.body,
  author: person(comment.user),
  url: comment.html_url,
  createdAt: comment.created_at,
  updatedAt: comment.updated_at,
});

const verdicts: Readonly<Record<string, ReviewVerdict>> = {
  APPROVED: "approved",
  REQUEST_CHANGES: "changes_requested",
  COMMENT: "commented",
};

/** Null for what is no review yet. */
export function review({ id, user, state, body, ...times }: ForgejoReview): Review | null {
  const verdict = verdicts[state];
  if (verdict === undefined) return null;
  return { id, author: person(user), verdict, body, submittedAt: times.updated_at ?? times.submitted_at };
}

export const inlineComment = (comment: ForgejoReviewComment): InlineComment => ({
  path: comment.path,
  line: lineOf(comment),
  body: comment.body,
  hunk: comment.diff_hunk,
});

function lineOf({ position, original_position: original }: ForgejoReviewComment): InlineComment["line"] {
  if (position > 0) return { number: position, side: "new" };
  return original > 0 ? { number: original, side: "old" } : null;
}

function headBranch({ head, base }: ForgejoPull): string {
  const branch = head.ref.startsWith("refs/pull/") ? (head.label ?? head.ref) : head.ref;
  if (head.repo_id === base.repo_id) return branch;
  return branch.includes(":") ? branch : `${head.repo?.owner.login ?? "fork"}:${branch}`;
}
