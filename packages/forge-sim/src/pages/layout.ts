import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import type { IssueRecord, LabelRecord, RepoRecord, UserRecord } from "../state/records.ts";
import type { World } from "../world.ts";

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

export interface Page {
  title: string;
  /** Who the person at the browser acts as; undefined: there are no users. */
  actor: UserRecord | undefined;
  /** Where to come back to. */
  path: string;
  body: Html;
}

export function layout(world: World, { title, actor, path, body }: Page): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · forge-sim</title>
<link rel="stylesheet" href="/-/style.css">
</head>
<body>
<header class="top"><div class="wide">
<a class="brand" href="/">forge-sim</a>
<span class="quiet hint">a Forgejo to try things on</span>
${actor ? actorForm(world, actor, path) : ""}
</div></header>
<main class="wide">${body}</main>
</body>
</html>`;
}

const people = (world: World): UserRecord[] => [...world.store.users.values()].filter((user) => !user.organization);

function actorForm(world: World, actor: UserRecord, path: string): Html {
  return html`<form class="actor" method="post" action="/-/act-as">
<input type="hidden" name="back" value="${path}">
<label>acting as ${userSelect("login", people(world), actor.id)}</label><button>Switch</button></form>`;
}

export function userSelect(name: string, users: readonly UserRecord[], chosen: number | undefined): Html {
  const options = users.map((user) =>
    user.id === chosen ? html`<option selected>${user.login}</option>` : html`<option>${user.login}</option>`,
  );
  return html`<select name="${name}">${options}</select>`;
}

export { people };

export const repoPath = (repo: RepoRecord): string => `/${repo.owner}/${repo.name}`;

export const issuePath = (repo: RepoRecord, issue: IssueRecord): string =>
  `${repoPath(repo)}/${issue.pull ? "pulls" : "issues"}/${issue.number}`;

export function crumbs(repo: RepoRecord): Html {
  return html`<p class="crumbs"><a href="/">Repositories</a> / <a href="${repoPath(repo)}">${repo.owner}/${repo.name}</a>${
    repo.private ? html` <span class="tag">private</span>` : ""
  }${repo.archived ? html` <span class="tag">archived</span>` : ""}</p>`;
}

/** Its colour comes from the style sheet, since the page allows no inline style. */
const labelChip = (label: LabelRecord): Html => html`<span class="label label-${label.color}">${label.name}</span>`;

export function labelsOf(repo: RepoRecord, issue: IssueRecord): Html[] {
  return issue.labels
    .map((id) => repo.labels.get(id))
    .filter((label) => label !== undefined)
    .map(labelChip);
}

/** The first letter of a login on a colour of its own. */
export const avatar = (user: UserRecord): Html =>
  html`<span class="avatar avatar-${user.id % 6}" aria-hidden="true">${user.login.slice(0, 1).toUpperCase()}</span>`;

export function stateBadge(issue: IssueRecord): Html {
  const kind = issue.state === "open" ? "open" : "closed";
  return html`<span class="state ${kind}">${issue.pull ? "Pull request" : "Issue"} ${kind}</span>`;
}

const steps = [
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
] as const;

/** "3 minutes ago", with the exact time behind it. */
export function ago(world: World, at: number): Html {
  const passed = world.store.now() - at;
  const exact = new Date(at).toISOString().replace(".000Z", "Z");
  const step = steps.find(([ms]) => passed >= ms);
  const count = step ? Math.floor(passed / step[0]) : 0;
  const text = step ? `${count} ${step[1]}${count === 1 ? "" : "s"} ago` : "just now";
  return html`<time datetime="${exact}" title="${exact}">${text}</time>`;
}

export const shortSha = (sha: string): string => sha.slice(0, 10);
