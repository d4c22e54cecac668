import { Hono } from "hono";
import { z } from "zod";
import { toCommit } from "../convert/commit.ts";
import { toCombinedStatus, toStatus } from "../convert/hook.ts";
import { readCommit, readCommits, resolveCommit } from "../git/commits.ts";
import type { StatusRecord } from "../state/records.ts";
import { type ApiContext, type ApiEnv, ApiError, needWriter, notFound, readBody, signedIn } from "./base.ts";
import { page } from "./paging.ts";

/** `/commits`, `/git/commits/{sha}`, `/statuses/{sha}`. A `{ref}` with slashes is written with `%2F`. */
export const commitRoutes = new Hono<ApiEnv>()
  .get("/commits", listCommits)
  .get("/commits/:ref/status", async (c) => {
    const sha = await refParam(c);
    return c.json(toCombinedStatus(c.var.world, c.var.repo, sha, c.var.mode));
  })
  .get("/commits/:ref/statuses", async (c) => listStatuses(c, await refParam(c)))
  .get("/git/commits/:ref", async (c) => {
    const { world, repo, doer } = c.var;
    return c.json(toCommit(world, repo, await readCommit(repo.dir, await refParam(c)), doer));
  })
  .get("/statuses/:ref", async (c) => listStatuses(c, await refParam(c)))
  .post("/statuses/:ref", createStatus);

async function refParam(c: ApiContext): Promise<string> {
  const ref = c.req.param("ref") ?? "";
  const sha = await resolveCommit(c.var.repo.dir, ref);
  if (!sha) throw notFound(`object does not exist [id: ${ref}, rel_path: ]`);
  return sha;
}

async function listCommits(c: ApiContext): Promise<Response> {
  const { world, repo, doer } = c.var;
  if (repo.refs.size === 0) throw new ApiError(409, "Git Repository is empty.");
  const wanted = c.req.query("sha") || repo.defaultBranch;
  const sha = await resolveCommit(repo.dir, wanted);
  if (!sha) throw notFound(`object does not exist [id: ${wanted}, rel_path: ]`);
  const commits = await readCommits(repo.dir, sha);
  return c.json(page(c, commits).map((commit) => toCommit(world, repo, commit, doer)));
}

function listStatuses(c: ApiContext, sha: string): Response {
  const wanted = c.req.query("state");
  const oldest = c.req.query("sort") === "oldest";
  const found = c.var.repo.statuses.filter((one) => one.sha === sha && (!wanted || one.state === wanted));
  const sorted = oldest ? found : found.toReversed();
  return c.json(page(c, sorted).map((status) => toStatus(c.var.world, c.var.repo, status)));
}

const CreateStatus = z.object({
  state: z.enum(["pending", "success", "error", "failure", "warning"]),
  context: z.string().nullish(),
  description: z.string().nullish(),
  target_url: z.string().nullish(),
});

/** Each POST appends; the newest of a context counts. Forgejo sends no webhook for it. */
async function createStatus(c: ApiContext): Promise<Response> {
  const doer = signedIn(c);
  needWriter(c);
  const body = await readBody(c, CreateStatus);
  const sha = await refParam(c);
  const { world, repo } = c.var;
  const status: StatusRecord = {
    id: world.store.nextId("status"),
    sha,
    state: body.state,
    context: body.context || "default",
    description: body.description ?? "",
    targetUrl: body.target_url ?? "",
    creatorId: doer.id,
    createdAt: world.store.now(),
  };
  repo.statuses.push(status);
  return c.json(toStatus(world, repo, status), 201);
}
