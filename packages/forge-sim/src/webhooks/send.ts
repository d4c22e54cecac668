import { toComment, toIssue } from "../convert/issue.ts";
import { toPull } from "../convert/pull.ts";
import { toRepo } from "../convert/repo.ts";
import { toUser } from "../convert/user.ts";
import { accessOf } from "../state/access.ts";
import type {
  AccessMode,
  CommentRecord,
  IssueRecord,
  PullIssue,
  RepoRecord,
  ReviewRecord,
  ReviewState,
  UserRecord,
} from "../state/records.ts";
import type { World } from "../world.ts";
import type { EventType } from "./events.ts";

/** Sends to every active hook of the repository that hears this kind. */
export function send(world: World, repo: RepoRecord, type: EventType, payload: object, ref?: string): void {
  for (const hook of repo.hooks.values()) {
    if (!hook.active || !hook.events.has(type)) continue;
    if (ref !== undefined && !passesFilter(hook.branchFilter, ref)) continue;
    world.deliveries.queue(hook, `${repo.owner}/${repo.name}`, type, payload);
  }
}

function passesFilter(filter: string, ref: string): boolean {
  if (filter === "" || filter === "*") return true;
  const short = ref.replace(/^refs\/(heads|tags)\//, "");
  return new Bun.Glob(filter).match(short) || new Bun.Glob(filter).match(ref);
}

interface Changes {
  title?: { from: string };
  body?: { from: string };
  ref?: { from: string };
}

export interface IssueEvent {
  /** Without the family: `assign` becomes `issue_assign` or `pull_request_assign`. */
  kind: "plain" | "assign" | "label" | "sync";
  action: string;
  doer: UserRecord;
  issue: IssueRecord;
  changes?: Changes;
}

export const isPull = (issue: IssueRecord): issue is PullIssue => issue.pull !== undefined;

/** An event of an issue or a pull request, with the state that it has now. */
export function sendIssueEvent(world: World, event: IssueEvent): void {
  const { issue, doer, action } = event;
  const repo = world.store.repoOf(issue);
  const changes = event.changes ? { changes: event.changes } : {};
  const common = { repository: toRepo(world, repo, shownMode(world, event, repo)), sender: toUser(world, doer) };
  if (!isPull(issue)) {
    const about = { ...changes, issue: toIssue(world, issue, doer) };
    send(world, repo, typeOf("issue", event), { action, number: issue.number, ...about, ...common, commit_id: "" });
    return;
  }
  send(world, repo, typeOf("pull_request", event), {
    action,
    number: issue.number,
    ...changes,
    pull_request: toPull(world, issue, doer),
    requested_reviewer: null,
    ...common,
    commit_id: "",
    review: null,
  });
}

function typeOf(family: "issue" | "pull_request", { kind }: IssueEvent): EventType {
  if (kind === "plain") return family === "issue" ? "issues" : "pull_request";
  if (kind === "sync") return "pull_request_sync";
  return `${family}_${kind}`;
}

/** Whose permissions stand in `repository.permissions` differs from kind to kind in Forgejo's notifier. */
function shownMode(world: World, { kind, doer, issue, action }: IssueEvent, repo: RepoRecord): AccessMode {
  if (kind === "sync" || (kind === "label" && issue.pull && action === "label_updated")) return "owner";
  return accessOf(kind === "assign" ? doer : world.store.userById(issue.posterId), repo);
}

const reviewTypes: Record<Exclude<ReviewState, "PENDING">, EventType> = {
  APPROVED: "pull_request_review_approved",
  REQUEST_CHANGES: "pull_request_review_rejected",
  COMMENT: "pull_request_review_comment",
};

/** Of a submitted review: as Forgejo's, it names neither the review nor what it says on lines. */
export function sendReview(world: World, { issue, reviewerId, state, body }: ReviewRecord): void {
  if (state === "PENDING") return;
  const repo = world.store.repoOf(issue);
  const reviewer = toUser(world, world.store.userById(reviewerId));
  const type = reviewTypes[state];
  send(world, repo, type, {
    action: "reviewed",
    number: issue.number,
    pull_request: toPull(world, issue),
    requested_reviewer: reviewer,
    repository: toRepo(world, repo, accessOf(world.store.userById(issue.posterId), repo)),
    sender: reviewer,
    commit_id: "",
    review: { type, content: body },
  });
}

/** `from` is the body before an edit. */
export function sendCommentEvent(
  world: World,
  action: "created" | "edited" | "deleted",
  doer: UserRecord,
  comment: CommentRecord,
  from?: string,
): void {
  const { issue } = comment;
  const repo = world.store.repoOf(issue);
  send(world, repo, issue.pull ? "pull_request_comment" : "issue_comment", {
    action,
    issue: toIssue(world, issue, doer),
    ...(isPull(issue) ? { pull_request: toPull(world, issue, doer) } : {}),
    comment: toComment(world, comment),
    ...(from === undefined ? {} : { changes: { body: { from } } }),
    repository: toRepo(world, repo, accessOf(doer, repo)),
    sender: toUser(world, doer),
    is_pull: isPull(issue),
  });
}
