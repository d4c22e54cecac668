import { Hono } from "hono";
import { z } from "zod";
import { toCommit } from "../convert/commit.ts";
import { toChangedFile, toPull } from "../convert/pull.ts";
import { readCommits } from "../git/commits.ts";
import { changedFiles, diffText, patchText } from "../git/diff.ts";
import { branchRef } from "../git/refs.ts";
import { compareBranches } from "../pushes.ts";
import type { PullIssue } from "../state/records.ts";
import { isPull, sendIssueEvent } from "../webhooks/send.ts";
import { editIssue } from "./assign.ts";
import { type ApiContext, type ApiEnv, ApiError, can, idParam, notFound, readBody, signedIn } from "./base.ts";
import { inState, sortIssues } from "./issues.ts";
import { page } from "./paging.ts";
import { alreadyExists, createPull, unmergedPull } from "./pulls-create.ts";

/** `/pulls`. */
export const pullRoutes = new Hono<ApiEnv>()
  .get("/", listPulls)
  .post("/", createPull)
  .get("/:file{[0-9]+\\.(diff|patch)}", getDiff)
  .get("/:number{[0-9]+}", (c) => c.json(toPull(c.var.world, pullParam(c), c.var.doer)))
  .patch("/:number{[0-9]+}", patchPull)
  .get("/:number{[0-9]+}/files", listFiles)
  .get("/:number{[0-9]+}/commits", listCommits)
  .get("/:base/:head{.+}", getByBranches);

export function pullParam(c: ApiContext, number = idParam(c, "number")): PullIssue {
  const issue = c.var.repo.issues.get(number);
  if (!issue || !isPull(issue)) throw notFound();
  return issue;
}

const allPulls = (c: ApiContext): PullIssue[] => [...c.var.repo.issues.values()].filter(isPull);

function listPulls(c: ApiContext): Response {
  const { world, doer } = c.var;
  const poster = c.req.query("poster");
  const posterId = poster ? world.store.user(poster)?.id : undefined;
  if (poster && posterId === undefined) throw new ApiError(400, `user does not exist [uid: 0, name: ${poster}]`);
  const labels = (c.req.queries("labels") ?? []).map(Number);
  const found = allPulls(c)
    // Without `state` Forgejo lists the open ones.
    .filter(inState(c.req.query("state")))
    .filter((issue) => posterId === undefined || issue.posterId === posterId)
    .filter((issue) => labels.every((id) => issue.labels.includes(id)));
  return c.json(page(c, sortIssues(c.req.query("sort"), found)).map((issue) => toPull(world, issue, doer)));
}

/** The newest of the pull requests between the two, whatever its state. */
function getByBranches(c: ApiContext): Response {
  const base = c.req.param("base");
  const head = (c.req.param("head") ?? "").replace(`${c.var.repo.owner}:`, "");
  const found = allPulls(c).findLast(({ pull }) => pull.baseBranch === base && pull.headBranch === head);
  if (!found) throw notFound();
  return c.json(toPull(c.var.world, found, c.var.doer));
}

async function getDiff(c: ApiContext): Promise<Response> {
  const [number = "", kind] = (c.req.param("file") ?? "").split(".");
  const { pull } = pullParam(c, Number(number));
  const text = await (kind === "diff" ? diffText : patchText)(c.var.repo.dir, pull.mergeBase, pull.headSha);
  return c.text(text);
}

async function listFiles(c: ApiContext): Promise<Response> {
  const { world, repo } = c.var;
  const { pull } = pullParam(c);
  const files = await changedFiles(repo.dir, pull.mergeBase, pull.headSha);
  return c.json(page(c, files).map((file) => toChangedFile(world, repo, pull.headSha, file)));
}

async function listCommits(c: ApiContext): Promise<Response> {
  const { world, repo, doer } = c.var;
  const { pull } = pullParam(c);
  const commits = await readCommits(repo.dir, `${pull.mergeBase}..${pull.headSha}`);
  return c.json(page(c, commits).map((commit) => toCommit(world, repo, commit, doer)));
}

const PatchPull = z.object({
  title: z.string().nullish(),
  body: z.string().nullish(),
  assignee: z.string().nullish(),
  assignees: z.array(z.string()).nullish(),
  labels: z.array(z.number()).nullish(),
  state: z.enum(["open", "closed"]).nullish(),
  base: z.string().nullish(),
});

async function patchPull(c: ApiContext): Promise<Response> {
  const doer = signedIn(c);
  const { world, repo } = c.var;
  const issue = pullParam(c);
  const body = await readBody(c, PatchPull);
  if (issue.posterId !== doer.id && !can(c, "write")) throw new ApiError(403);
  if (body.base && !repo.refs.has(branchRef(body.base))) throw new ApiError(404, `new base '${body.base}' not exist`);
  // Labels set here send no webhook: Forgejo writes them past its notifier.
  if (body.labels && can(c, "write")) issue.labels = [...new Set(body.labels.filter((id) => repo.labels.has(id)))];
  editIssue(c, issue, body);
  if (body.base && body.base !== issue.pull.baseBranch) await changeBase(c, issue, body.base);
  return c.json(toPull(world, issue, doer), 201);
}

async function changeBase(c: ApiContext, issue: PullIssue, base: string): Promise<void> {
  const { world, repo } = c.var;
  const twin = unmergedPull(repo, base, issue.pull.headBranch);
  if (twin) throw alreadyExists(repo, twin);
  const comparison = await compareBranches(repo, { ...issue.pull, baseBranch: base });
  const from = issue.pull.baseBranch;
  Object.assign(issue.pull, { ...comparison, baseBranch: base });
  issue.updatedAt = world.store.now();
  world.mergeChecks.schedule(repo, issue);
  sendIssueEvent(world, { kind: "plain", action: "edited", doer: signedIn(c), issue, changes: { ref: { from } } });
}
