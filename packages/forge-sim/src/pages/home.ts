import { html } from "hono/html";
import type { IssueRecord, RepoRecord } from "../state/records.ts";
import type { World } from "../world.ts";
import { ago, avatar, crumbs, type Html, issuePath, labelsOf, repoPath, shortSha } from "./layout.ts";

const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? "" : "s"}`;

export function homePage(world: World): Html {
  const repos = [...world.store.repos.values()];
  const rows = repos.map((repo) => {
    const open = [...repo.issues.values()].filter((issue) => issue.state === "open");
    const pulls = open.filter((issue) => issue.pull).length;
    return html`<li><a class="strong" href="${repoPath(repo)}">${repo.owner}/${repo.name}</a>${
      repo.private ? html` <span class="tag">private</span>` : ""
    }<div class="quiet">${repo.description ? html`${repo.description} · ` : ""}${count(
      open.length - pulls,
      "open issue",
    )} · ${count(pulls, "open pull request")}</div></li>`;
  });
  const list = repos.length > 0 ? html`<ul class="card rows">${rows}</ul>` : html`<p class="quiet">None yet.</p>`;
  return html`<h1>Repositories</h1>${list}`;
}

function threadRow(world: World, repo: RepoRecord, issue: IssueRecord): Html {
  const poster = world.store.userById(issue.posterId);
  const closed = issue.state === "closed" ? html` <span class="tag">closed</span>` : "";
  const comments = issue.comments.size > 0 ? html` · ${count(issue.comments.size, "comment")}` : "";
  const branch = issue.pull ? html` · <code>${issue.pull.headBranch}</code>` : "";
  const assignees = issue.assignees.map((id) => world.store.userById(id).login).join(", ");
  return html`<li class="thread">${avatar(poster)}<div><a class="strong" href="${issuePath(repo, issue)}">${issue.title}</a>${closed} ${labelsOf(
    repo,
    issue,
  )}<div class="quiet">#${issue.number} by ${poster.login} ${ago(world, issue.createdAt)}${branch}${comments}${
    assignees ? html` · assigned to ${assignees}` : ""
  }</div></div></li>`;
}

function threads(world: World, repo: RepoRecord, wantPulls: boolean): Html {
  const found = [...repo.issues.values()].filter((issue) => (issue.pull !== undefined) === wantPulls).toReversed();
  if (found.length === 0) return html`<p class="quiet">None yet.</p>`;
  return html`<ul class="card rows">${found.map((issue) => threadRow(world, repo, issue))}</ul>`;
}

export function repoPage(world: World, repo: RepoRecord): Html {
  const branches = [...repo.refs].map(([ref, sha]) => {
    const name = ref.replace(/^refs\/(heads|tags)\//, "");
    const link = html`<a href="${repoPath(repo)}/commit/${sha}"><code>${shortSha(sha)}</code></a>`;
    return html`<li><code class="strong">${name}</code>${name === repo.defaultBranch ? html` <span class="tag">default</span>` : ""} ${link}</li>`;
  });
  return html`${crumbs(repo)}<h1>${repo.name}</h1>
${repo.description ? html`<p>${repo.description}</p>` : ""}
<p class="clone"><code>git clone ${world.url}${repoPath(repo)}.git</code></p>
<h2>Issues</h2>${threads(world, repo, false)}${newIssueForm(repo)}
<h2>Pull requests</h2>${threads(world, repo, true)}
<h2>Branches</h2>${branches.length > 0 ? html`<ul class="card rows">${branches}</ul>` : html`<p class="quiet">The repository is empty.</p>`}`;
}

function newIssueForm(repo: RepoRecord): Html {
  if (repo.archived) return html``;
  return html`<details class="card new"><summary>New issue</summary>
<form class="stack pad" method="post" action="${repoPath(repo)}/issues/new">
<input name="title" required placeholder="Title" aria-label="Title">
<textarea name="body" rows="5" placeholder="What should happen? Markdown is fine." aria-label="Description"></textarea>
<div><button class="primary">Create issue</button></div></form></details>`;
}
