import { html } from "hono/html";
import { readCommit } from "../git/commits.ts";
import { git } from "../git/run.ts";
import type { RepoRecord } from "../state/records.ts";
import type { World } from "../world.ts";
import { diffView } from "./diff.ts";
import { ago, crumbs, type Html, repoPath, shortSha } from "./layout.ts";

export async function commitPage(world: World, repo: RepoRecord, sha: string): Promise<Html> {
  const commit = await readCommit(repo.dir, sha);
  const text = await git(repo.dir, ["show", "--format=", "--patch", "--find-renames", "--first-parent", sha, "--"]);
  const [subject = "", ...rest] = commit.message.trim().split("\n");
  const parents = commit.parents.map(
    (parent) => html` <a href="${repoPath(repo)}/commit/${parent}"><code>${shortSha(parent)}</code></a>`,
  );
  const more = rest.join("\n").trim();
  return html`${crumbs(repo)}<h1>${subject}</h1>
<p class="meta quiet"><code>${commit.sha}</code> by ${commit.author.name} ${ago(world, Date.parse(commit.committer.date))}${
    parents.length > 0 ? html` · after${parents}` : ""
  }</p>
${more ? html`<pre class="card pad">${more}</pre>` : ""}${diffView(text)}`;
}
