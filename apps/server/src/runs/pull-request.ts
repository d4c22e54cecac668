import type { EffectBody } from "../domain/effect.ts";
import type { Published, Run, RunEnd } from "../domain/run.ts";
import type { Ground } from "./ground.ts";
import type { RunDeps } from "./ports.ts";
import { inert } from "./receipt.ts";

/** Hidden in the pull request's text: it tells ours from anybody's. */
const pullRequestMarker = (lane: string): string => `<!-- claude-hooks:pull-request ${lane} -->`;

/** Through the outbox, by the agent's own user; an open one for the branch is taken as it is. */
export async function openPullRequest(
  deps: RunDeps,
  ground: Ground,
  run: Run,
  published: Published,
  signal: AbortSignal,
): Promise<RunEnd> {
  if (published.kind === "failed") return { kind: "failed", failure: published.failure };
  if (published.kind === "no-change") {
    const detail = published.uncommitted ? "it left changes, but committed none of them" : "the branch is as it was";
    return { kind: "failed", failure: { kind: "no-change", retryable: false, detail } };
  }
  const { thread } = ground.place;
  const key = `run:${run.id}:pull-request`;
  await deps.outbox.enqueue({
    key,
    author: run.agentType,
    thread,
    run: run.id,
    body: await body(deps, ground, run),
    preconditions: [{ kind: "issue_open", number: thread.number }],
  });
  const end = await deps.outbox.ended(key, signal);
  if (end.state === "unfinished") return { kind: "suspended" };
  if (end.state !== "done") {
    return { kind: "failed", failure: { kind: "pull-request-not-opened", retryable: false, detail: end.error } };
  }
  if (end.result.kind === "pull_request") {
    await deps.threads.linkRef(thread.id, end.result.number);
    await deps.runs.update(run.id, { pullRequest: end.result.number });
  }
  return { kind: "succeeded" };
}

async function body(deps: RunDeps, { place, subject }: Ground, before: Run): Promise<EffectBody> {
  const run = (await deps.runs.get(before.id)) ?? before;
  const earlier = (await deps.runs.ofLane(run.lane, earlierShown + 1)).filter(
    ({ id, branch, commits }) => id !== run.id && branch === run.branch && commits > 0,
  );
  const marker = pullRequestMarker(run.lane);
  return {
    kind: "open_pull_request",
    head: run.branch,
    base: place.settings.baseBranch ?? place.repository.defaultBranch,
    title: deps.redact(subject.title),
    body: [marker, `Closes #${place.thread.number}`, summaries(run, earlier)].join("\n\n"),
    marker,
  };
}

const earlierShown = 5;
const longestSummary = 4_000;

/** Between marks of their own, since each run that pushes rewrites them: the newest on top, the earlier ones folded. */
function summaries(run: Run, earlier: readonly Run[]): string {
  const said = ({ report }: Run): string => inert((report?.summary ?? "").slice(0, longestSummary));
  const before = earlier.map(said).filter((text) => text !== "");
  const folded =
    before.length === 0
      ? []
      : [`<details><summary>Earlier work on this branch</summary>\n\n${before.join("\n\n---\n\n")}\n\n</details>`];
  return ["<!-- claude-hooks:summary -->", said(run), ...folded, "<!-- /claude-hooks:summary -->"].join("\n\n");
}
