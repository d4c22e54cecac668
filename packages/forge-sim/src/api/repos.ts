import { Hono } from "hono";
import { z } from "zod";
import { toRepo } from "../convert/repo.ts";
import { toUser } from "../convert/user.ts";
import { resolveCommit } from "../git/commits.ts";
import { fileAt } from "../git/diff.ts";
import { accessOf } from "../state/access.ts";
import type { UserRecord } from "../state/records.ts";
import { type ApiContext, type ApiEnv, ApiError, needAdmin, notFound, readBody, signedIn } from "./base.ts";
import { page } from "./paging.ts";

/** The repository itself, its collaborators, its files. */
export const repoRoutes = new Hono<ApiEnv>()
  .get("/", (c) => c.json(toRepo(c.var.world, c.var.repo, c.var.mode)))
  .get("/raw/:path{.+}", getRaw)
  .get("/collaborators", (c) => {
    const doer = signedIn(c);
    const users = [...c.var.repo.collaborators.keys()].map((id) => c.var.world.store.userById(id));
    return c.json(page(c, users).map((user) => toUser(c.var.world, user, doer)));
  })
  .get("/collaborators/:login", (c) => {
    signedIn(c);
    if (!c.var.repo.collaborators.has(named(c, 422).id)) throw notFound();
    return c.body(null, 204);
  })
  .put("/collaborators/:login", putCollaborator)
  .delete("/collaborators/:login", (c) => {
    signedIn(c);
    needAdmin(c);
    c.var.repo.collaborators.delete(named(c, 422).id);
    return c.body(null, 204);
  })
  .get("/collaborators/:login/permission", getPermission);

function named(c: ApiContext, status: number): UserRecord {
  const login = c.req.param("login") ?? "";
  const user = c.var.world.store.user(login);
  if (!user) throw new ApiError(status, `user does not exist [uid: 0, name: ${login}]`);
  return user;
}

async function putCollaborator(c: ApiContext): Promise<Response> {
  signedIn(c);
  needAdmin(c);
  const user = named(c, 422);
  const body = await readBody(c, z.object({ permission: z.string().nullish() }));
  const given = body.permission ?? c.var.repo.collaborators.get(user.id) ?? "write";
  // Forgejo reads any other word as the least permission that it knows.
  const access = given === "admin" || given === "write" ? given : "read";
  c.var.repo.collaborators.set(user.id, access);
  return c.body(null, 204);
}

function getPermission(c: ApiContext): Response {
  const doer = signedIn(c);
  const user = named(c, 404);
  if (!doer.admin && doer.id !== user.id) {
    const admin = c.var.mode === "admin" || c.var.mode === "owner";
    if (!admin) {
      throw new ApiError(
        403,
        "Only admins can query all permissions, repo admins can query all repo permissions, collaborators can query only their own",
      );
    }
  }
  const permission = accessOf(user, c.var.repo);
  return c.json({ permission, role_name: permission, user: toUser(c.var.world, user, doer) });
}

async function getRaw(c: ApiContext): Promise<Response> {
  const { repo } = c.var;
  if (repo.refs.size === 0) throw notFound("repository is empty");
  const sha = await resolveCommit(repo.dir, c.req.query("ref") || repo.defaultBranch);
  const content = sha && (await fileAt(repo.dir, sha, c.req.param("path") ?? ""));
  if (!content) throw notFound();
  // As a download: bytes of a repository are never a page of the forge.
  return new Response(Uint8Array.from(content), {
    headers: { "Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff" },
  });
}
