import type {
  CommentRecord,
  IssueRecord,
  LabelRecord,
  PullRecord,
  ReactionRecord,
  ReviewRecord,
  UserRecord,
} from "../state/records.ts";
import type { World } from "../world.ts";
import { apiUrl, htmlUrl } from "./repo.ts";
import { optionalTime, time } from "./time.ts";
import { toUser } from "./user.ts";

export type ApiLabel = ReturnType<typeof toLabel>;
export type ApiIssue = ReturnType<typeof toIssue>;
export type ApiComment = ReturnType<typeof toComment>;
export type ApiReaction = ReturnType<typeof toReaction>;

export function toLabel(label: LabelRecord, repoApiUrl: string) {
  return {
    id: label.id,
    name: label.name,
    exclusive: label.exclusive,
    is_archived: label.archived,
    color: label.color,
    description: label.description,
    url: `${repoApiUrl}/labels/${label.id}`,
  };
}

/** The issue's labels in the order of their names, as the API gives them. */
export function toLabels(world: World, issue: IssueRecord): ApiLabel[] {
  const repo = world.store.repoOf(issue);
  return issue.labels
    .map((id) => repo.labels.get(id))
    .filter((label) => label !== undefined)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((label) => toLabel(label, apiUrl(world, repo)));
}

/** `assignees` is null when there is none: Go's nil slice. */
export function toAssignees(world: World, issue: IssueRecord, doer: UserRecord | undefined) {
  const assignees = issue.assignees.map((id) => toUser(world, world.store.userById(id), doer));
  return { assignee: assignees[0] ?? null, assignees: assignees.length > 0 ? assignees : null };
}

/** What others see: a pending one is its writer's alone. Oldest first. */
export const submittedReviews = ({ reviews }: PullRecord): ReviewRecord[] =>
  [...reviews.values()].filter(({ state }) => state !== "PENDING");

/** Forgejo counts a review as one, and what it says on lines as nothing. */
export const conversationSize = ({ comments, pull }: IssueRecord): number =>
  comments.size + (pull ? submittedReviews(pull).length : 0);

/** A title such as `WIP: …` makes a draft. */
export const isDraft = (title: string): boolean => /^(WIP:|\[WIP\])/i.test(title);

export const issueHtmlUrl = (world: World, issue: IssueRecord): string =>
  `${htmlUrl(world, world.store.repoOf(issue))}/${issue.pull ? "pulls" : "issues"}/${issue.number}`;

export function toIssue(world: World, issue: IssueRecord, doer?: UserRecord) {
  const repo = world.store.repoOf(issue);
  const html = issueHtmlUrl(world, issue);
  return {
    id: issue.id,
    url: `${apiUrl(world, repo)}/issues/${issue.number}`,
    html_url: html,
    number: issue.number,
    user: toUser(world, world.store.userById(issue.posterId), doer),
    original_author: "",
    original_author_id: 0,
    title: issue.title,
    body: issue.body,
    ref: "",
    assets: [],
    labels: toLabels(world, issue),
    milestone: null,
    ...toAssignees(world, issue, doer),
    state: issue.state,
    is_locked: false,
    comments: conversationSize(issue),
    created_at: time(issue.createdAt),
    updated_at: time(issue.updatedAt),
    closed_at: optionalTime(issue.closedAt),
    due_date: null,
    pull_request: issue.pull ? { merged: false, merged_at: null, draft: isDraft(issue.title), html_url: html } : null,
    repository: { id: repo.id, name: repo.name, owner: repo.owner, full_name: `${repo.owner}/${repo.name}` },
    pin_order: 0,
  };
}

export function toComment(world: World, comment: CommentRecord) {
  const html = issueHtmlUrl(world, comment.issue);
  return {
    id: comment.id,
    html_url: `${html}#issuecomment-${comment.id}`,
    pull_request_url: comment.issue.pull ? html : "",
    issue_url: comment.issue.pull ? "" : html,
    user: toUser(world, world.store.userById(comment.posterId)),
    original_author: "",
    original_author_id: 0,
    body: comment.body,
    assets: [],
    created_at: time(comment.createdAt),
    updated_at: time(comment.updatedAt),
  };
}

export function toReaction(world: World, reaction: ReactionRecord, doer: UserRecord | undefined) {
  return {
    user: toUser(world, world.store.userById(reaction.userId), doer),
    content: reaction.content,
    created_at: time(reaction.createdAt),
  };
}
