import type { FileChange } from "../git/diff.ts";
import { branchRef } from "../git/refs.ts";
import { accessOf } from "../state/access.ts";
import type { PullIssue, RepoRecord, UserRecord } from "../state/records.ts";
import type { World } from "../world.ts";
import { conversationSize, isDraft, issueHtmlUrl, submittedReviews, toAssignees, toLabels } from "./issue.ts";
import { apiUrl, htmlUrl, toRepo } from "./repo.ts";
import { optionalTime, time } from "./time.ts";
import { toUser } from "./user.ts";

export type ApiPullRequest = ReturnType<typeof toPull>;
export type ApiChangedFile = ReturnType<typeof toChangedFile>;

/** `mergeable` is false, too, while the check is to come and for a draft. */
export function toPull(world: World, issue: PullIssue, doer?: UserRecord) {
  const html = issueHtmlUrl(world, issue);
  const { pull } = issue;
  const draft = isDraft(issue.title);
  return {
    id: pull.id,
    url: html,
    number: issue.number,
    user: toUser(world, world.store.userById(issue.posterId), doer),
    title: issue.title,
    body: issue.body,
    labels: toLabels(world, issue),
    milestone: null,
    ...toAssignees(world, issue, doer),
    requested_reviewers: [],
    requested_reviewers_teams: [],
    state: issue.state,
    draft,
    is_locked: false,
    comments: conversationSize(issue),
    review_comments: submittedReviews(pull).length,
    additions: pull.additions,
    deletions: pull.deletions,
    changed_files: pull.changedFiles,
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    mergeable: pull.mergeable === true && !draft,
    merged: false,
    merged_at: null,
    merge_commit_sha: null,
    merged_by: null,
    allow_maintainer_edit: false,
    ...branches(world, issue, doer),
    merge_base: pull.mergeBase,
    due_date: null,
    created_at: time(issue.createdAt),
    updated_at: time(issue.updatedAt),
    closed_at: optionalTime(issue.closedAt),
    pin_order: 0,
    flow: 0,
  };
}

/** A head branch that is gone has `refs/pull/N/head` for its ref. */
function branches(world: World, issue: PullIssue, doer: UserRecord | undefined) {
  const repo = world.store.repoOf(issue);
  const { pull } = issue;
  const there = repo.refs.has(branchRef(pull.headBranch));
  const side = () => ({ repo_id: repo.id, repo: toRepo(world, repo, accessOf(doer, repo)) });
  return {
    base: {
      label: pull.baseBranch,
      ref: pull.baseBranch,
      sha: repo.refs.get(branchRef(pull.baseBranch)) ?? "",
      ...side(),
    },
    head: {
      label: pull.headBranch,
      ref: there ? pull.headBranch : `refs/pull/${issue.number}/head`,
      sha: pull.headSha,
      ...side(),
    },
  };
}

export function toChangedFile(world: World, repo: RepoRecord, sha: string, file: FileChange) {
  const path = file.path.split("/").map(encodeURIComponent).join("/");
  return {
    filename: file.path,
    ...(file.previousPath === undefined ? {} : { previous_filename: file.previousPath }),
    status: file.status === "modified" ? "changed" : file.status,
    additions: file.additions,
    deletions: file.deletions,
    changes: file.additions + file.deletions,
    html_url: `${htmlUrl(world, repo)}/src/commit/${sha}/${path}`,
    contents_url: `${apiUrl(world, repo)}/contents/${path}?ref=${sha}`,
    raw_url: `${htmlUrl(world, repo)}/raw/commit/${sha}/${path}`,
  };
}
