import { Hono } from "hono";
import { z } from "zod";
import { toPayloadCommit } from "../convert/commit.ts";
import { readCommit, resolveCommit } from "../git/commits.ts";
import { branchesOf, branchRef } from "../git/refs.ts";
import { git, tryGit } from "../git/run.ts";
import { noticeRefs } from "../pushes.ts";
import {
  type ApiContext,
  type ApiEnv,
  ApiError,
  can,
  needWriter,
  notArchived,
  notFound,
  readBody,
  requiredText,
  signedIn,
} from "./base.ts";
import { page } from "./paging.ts";

/** `/branches` and `/branches/{name}`; a name may hold slashes. */
export const branchRoutes = new Hono<ApiEnv>()
  .get("/", async (c) => {
    const names = page(c, branchesOf(c.var.repo.refs));
    return c.json(await Promise.all(names.map((name) => show(c, name))));
  })
  .post("/", createBranch)
  .get("/:branch{.+}", async (c) => c.json(await show(c, existing(c))))
  .delete("/:branch{.+}", deleteBranch);

export type ApiBranch = Awaited<ReturnType<typeof show>>;

async function show(c: ApiContext, name: string) {
  const { world, repo } = c.var;
  const commit = await readCommit(repo.dir, repo.refs.get(branchRef(name)) ?? name);
  const writes = can(c, "write");
  return {
    name,
    commit: toPayloadCommit(world, repo, commit),
    protected: false,
    required_approvals: 0,
    enable_status_check: false,
    status_check_contexts: [],
    user_can_push: writes,
    user_can_merge: writes,
    effective_branch_protection_name: "",
  };
}

function existing(c: ApiContext): string {
  const name = c.req.param("branch") ?? "";
  if (!c.var.repo.refs.has(branchRef(name))) throw notFound(`branch does not exist [name: ${name}]`);
  return name;
}

const CreateBranch = z.object({
  new_branch_name: requiredText,
  old_ref_name: z.string().nullish(),
  old_branch_name: z.string().nullish(),
});

async function createBranch(c: ApiContext): Promise<Response> {
  const doer = signedIn(c);
  needWriter(c);
  notArchived(c);
  const body = await readBody(c, CreateBranch);
  const { world, repo } = c.var;
  if (repo.refs.size === 0) throw new ApiError(404, "Git Repository is empty.");
  const name = body.new_branch_name;
  if ((await tryGit(repo.dir, ["check-ref-format", "--branch", name])).code !== 0) {
    throw new ApiError(422, "[BranchName]: GitRefName");
  }
  return world.locked(repo.id, async () => {
    const sha = await startingPoint(c, body.old_ref_name, body.old_branch_name);
    if (repo.refs.has(branchRef(name))) throw new ApiError(409, "The branch already exists.");
    const within = branchesOf(repo.refs).some((old) => old.startsWith(`${name}/`) || name.startsWith(`${old}/`));
    if (within) throw new ApiError(409, "The branch with the same name already exists.");
    await git(repo.dir, ["update-ref", branchRef(name), sha, ""]);
    await noticeRefs(world, repo, doer);
    return c.json(await show(c, name), 201);
  });
}

async function startingPoint(
  c: ApiContext,
  ref: string | null | undefined,
  branch: string | null | undefined,
): Promise<string> {
  const { repo } = c.var;
  if (ref) {
    const sha = await resolveCommit(repo.dir, ref.replace(/^refs\/(heads|tags)\//, ""));
    // Forgejo answers 500 to an unknown `old_ref_name`, where 404 would be expected.
    if (!sha) throw new ApiError(500, "");
    return sha;
  }
  const sha = repo.refs.get(branchRef(branch || repo.defaultBranch));
  if (!sha) throw new ApiError(404, "The old branch does not exist");
  return sha;
}

async function deleteBranch(c: ApiContext): Promise<Response> {
  const doer = signedIn(c);
  needWriter(c);
  notArchived(c);
  const { world, repo } = c.var;
  return world.locked(repo.id, async () => {
    const name = existing(c);
    if (name === repo.defaultBranch) throw new ApiError(403, "can not delete default branch");
    await git(repo.dir, ["update-ref", "-d", branchRef(name)]);
    await noticeRefs(world, repo, doer);
    return c.body(null, 204);
  });
}
