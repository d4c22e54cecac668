import { html } from "hono/html";
import { latestStatuses } from "../convert/hook.ts";
import { isDraft } from "../convert/issue.ts";
import { type CommitInfo, readCommits } from "../git/commits.ts";
import { diffText } from "../git/diff.ts";
import type { IssueRecord, PullIssue, RepoRecord } from "../state/records.ts";
import { isPull } from "../webhooks/send.ts";
import type { World } from "../world.ts";
import { changedPaths, diffView } from "./diff.ts";
import {
  ago,
  avatar,
  crumbs,
  type Html,
  issuePath,
  labelsOf,
  people,
  repoPath,
  shortSha,
  stateBadge,
  userSelect,
} from "./layout.ts";
import { markdown } from "./markdown.ts";
import { reviewForm, reviewPost } from "./reviews.ts";

/** An issue, or a pull request with its commits and its diff. */
export async function threadPage(world: World, repo: RepoRecord, issue: IssueRecord): Promise<Html> {
  const pull = isPull(issue) ? await pullParts(repo, issue) : undefined;
  return html`${crumbs(repo)}
<h1>${issue.title} <span class="number">#${issue.number}</span></h1>
<p class="meta">${stateBadge(issue)}${isDraft(issue.title) && issue.pull ? html` <span class="tag">draft</span>` : ""} ${pull?.summary ?? ""}</p>
<div class="columns"><div>
${post(world, repo, { ...issue, anchor: "description" })}
${pull?.commits ?? ""}
${conversation(world, repo, issue)}
${replyForm(repo, issue)}
</div><aside>${side(world, repo, issue)}${pull?.side ?? ""}</aside></div>
${pull?.diff ?? ""}`;
}

/** Comments and reviews, oldest first. */
function conversation(world: World, repo: RepoRecord, issue: IssueRecord): Html[] {
  const comments = [...issue.comments.values()].map((comment) => ({
    at: comment.createdAt,
    id: comment.id,
    shown: post(world, repo, { ...comment, anchor: `issuecomment-${comment.id}` }),
  }));
  const reviews = [...(issue.pull?.reviews.values() ?? [])].map((review) => ({
    at: review.updatedAt,
    id: review.anchor,
    shown: reviewPost(world, repo, review),
  }));
  return [...comments, ...reviews].toSorted((a, b) => a.at - b.at || a.id - b.id).map(({ shown }) => shown);
}

interface Post {
  posterId: number;
  createdAt: number;
  updatedAt?: number;
  body: string;
  anchor: string;
}

function post(world: World, repo: RepoRecord, { posterId, createdAt, body, anchor }: Post): Html {
  const poster = world.store.userById(posterId);
  const text = body.trim() === "" ? html`<p class="quiet">No description.</p>` : markdown(body, repoPath(repo));
  return html`<article class="post" id="${anchor}">${avatar(poster)}<div class="card">
<div class="by"><span class="strong">${poster.login}</span> <span class="quiet">${ago(world, createdAt)}</span></div>
<div class="text">${text}</div></div></article>`;
}

function replyForm(repo: RepoRecord, issue: IssueRecord): Html {
  if (repo.archived) return html`<p class="quiet">This repository is archived.</p>`;
  const path = issuePath(repo, issue);
  const next = issue.state === "open" ? "closed" : "open";
  return html`<form class="card stack pad reply" method="post" action="${path}/comment">
<textarea name="body" rows="4" required placeholder="Write a comment" aria-label="Comment"></textarea>
<div class="buttons"><button class="primary">Comment</button>
<button form="set-state">${next === "closed" ? "Close" : "Reopen"}</button></div></form>
<form id="set-state" method="post" action="${path}/state"><input type="hidden" name="state" value="${next}"></form>`;
}

function side(world: World, repo: RepoRecord, issue: IssueRecord): Html {
  const labels = labelsOf(repo, issue);
  const assignees = issue.assignees.map((id) => {
    const user = world.store.userById(id);
    const action = `${issuePath(repo, issue)}/assign`;
    return html`<li>${avatar(user)} ${user.login}<form method="post" action="${action}"><input type="hidden" name="remove" value="${user.login}"><button class="small" title="Take ${user.login} off">✕</button></form></li>`;
  });
  const others = people(world).filter((user) => !issue.assignees.includes(user.id));
  const add = html`<form class="assign" method="post" action="${issuePath(repo, issue)}/assign">${userSelect("add", others, undefined)}<button>Assign</button></form>`;
  return html`<section><h3>Assignees</h3>${
    assignees.length > 0 ? html`<ul class="people">${assignees}</ul>` : html`<p class="quiet">Nobody</p>`
  }${others.length > 0 && !repo.archived ? add : ""}</section>
<section><h3>Labels</h3>${labels.length > 0 ? labels : html`<p class="quiet">None</p>`}</section>`;
}

interface PullParts {
  summary: Html;
  commits: Html;
  side: Html;
  diff: Html;
}

async function pullParts(repo: RepoRecord, issue: PullIssue): Promise<PullParts> {
  const { pull } = issue;
  const commits = await readCommits(repo.dir, `${pull.mergeBase}..${pull.headSha}`);
  const text = await diffText(repo.dir, pull.mergeBase, pull.headSha);
  return {
    summary: html`<span class="quiet"><code>${pull.headBranch}</code> into <code>${pull.baseBranch}</code> · <span class="plus">+${pull.additions}</span> <span class="minus">−${pull.deletions}</span></span>`,
    commits: html`<ul class="card rows commits">${commits.toReversed().map((commit) => commitRow(repo, commit))}</ul>`,
    side: html`<section><h3>Merge</h3><p class="quiet">${mergeWord(issue)}</p></section>${statuses(repo, pull.headSha)}`,
    diff: html`<h2>Files changed</h2>${diffView(text)}${
      repo.archived ? "" : reviewForm(`${issuePath(repo, issue)}/review`, changedPaths(text))
    }`,
  };
}

function commitRow(repo: RepoRecord, commit: CommitInfo): Html {
  const [subject = ""] = commit.message.split("\n");
  return html`<li><a href="${repoPath(repo)}/commit/${commit.sha}"><code>${shortSha(commit.sha)}</code></a> <span>${subject}</span> <span class="quiet">${commit.author.name}</span></li>`;
}

function mergeWord({ state, title, pull }: PullIssue): string {
  if (state === "closed") return "Closed";
  if (isDraft(title)) return "A draft is not merged";
  if (pull.mergeable === undefined) return "Being checked …";
  return pull.mergeable ? "No conflicts with the base branch" : "Conflicts with the base branch";
}

function statuses(repo: RepoRecord, sha: string): Html {
  const rows = latestStatuses(repo, sha).map(
    (status) =>
      html`<li><span class="dot ${status.state}"></span> ${status.context}<div class="quiet">${status.description || status.state}</div></li>`,
  );
  return html`<section><h3>Statuses</h3>${rows.length > 0 ? html`<ul class="people">${rows}</ul>` : html`<p class="quiet">None</p>`}</section>`;
}
