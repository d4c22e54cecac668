import { html } from "hono/html";
import type { RepoRecord, ReviewCommentRecord, ReviewRecord, ReviewState } from "../state/records.ts";
import type { World } from "../world.ts";
import { diffTable } from "./diff.ts";
import { ago, avatar, type Html, repoPath, shortSha } from "./layout.ts";
import { markdown } from "./markdown.ts";

const words: Record<Exclude<ReviewState, "PENDING">, { kind: string; said: string }> = {
  APPROVED: { kind: "approved", said: "approved these changes" },
  REQUEST_CHANGES: { kind: "rejected", said: "requested changes" },
  COMMENT: { kind: "remarked", said: "reviewed" },
};

/** A submitted review with what it says on lines; a pending one is not shown. */
export function reviewPost(world: World, repo: RepoRecord, review: ReviewRecord): Html {
  if (review.state === "PENDING") return html``;
  const reviewer = world.store.userById(review.reviewerId);
  const { kind, said } = words[review.state];
  const body = review.body.trim() === "" ? "" : html`<div class="text">${markdown(review.body, repoPath(repo))}</div>`;
  const stale = review.stale ? html` <span class="tag" title="The changes are no longer those">outdated</span>` : "";
  return html`<article class="post review ${kind}" id="issuecomment-${review.anchor}">${avatar(reviewer)}<div class="card">
<div class="by"><span class="strong">${reviewer.login}</span> <span class="verdict">${said}</span> <span class="quiet">at <code>${shortSha(review.commitId)}</code> ${ago(world, review.updatedAt)}</span>${stale}</div>
${body}${review.comments.map((comment) => remark(repo, comment))}</div></article>`;
}

function remark(repo: RepoRecord, { id, path, line, body, hunk }: ReviewCommentRecord): Html {
  const place = line < 0 ? `line ${-line} as it was` : `line ${line}`;
  return html`<section class="remark" id="issuecomment-${id}"><p class="place"><code>${path}</code> <span class="quiet">${line === 0 ? "" : place}</span></p>
${hunk === "" ? "" : diffTable(hunk)}<div class="text">${markdown(body, repoPath(repo))}</div></section>`;
}

/** `paths` are the files that a remark may stand on. */
export function reviewForm(action: string, paths: readonly string[]): Html {
  const files = paths.map((path) => html`<option>${path}</option>`);
  return html`<h2>Review</h2><form class="card stack pad" method="post" action="${action}">
<textarea name="body" rows="3" placeholder="What you think of the changes" aria-label="Review"></textarea>
<details><summary>Say something on a line</summary><div class="stack onto">
<div class="buttons"><select name="path" aria-label="File">${files}</select><input type="number" name="line" min="1" placeholder="Line" aria-label="Line of the new file"></div>
<textarea name="remark" rows="2" placeholder="About that line" aria-label="Remark"></textarea></div></details>
<div class="buttons"><button name="event" value="COMMENT">Comment</button>
<button name="event" value="REQUEST_CHANGES">Request changes</button>
<button class="primary" name="event" value="APPROVED">Approve</button></div></form>`;
}
