import type { Context, MiddlewareHandler } from "hono";
import { z } from "zod";
import { identify } from "../credentials.ts";
import { accessWith, atLeast } from "../state/access.ts";
import type { AccessMode, RepoRecord, TokenRecord, UserRecord } from "../state/records.ts";
import { hasScope, type ScopeCategory } from "../state/scopes.ts";
import type { World } from "../world.ts";

/** An answer that is no success; without a message the body is empty, as some of Forgejo's are. */
export class ApiError extends Error {
  readonly status: number;
  readonly empty: boolean;
  readonly errors: readonly string[] | undefined;

  constructor(status: number, message?: string, errors?: readonly string[]) {
    super(message ?? `status ${status}`);
    this.status = status;
    this.empty = message === undefined;
    this.errors = errors;
  }
}

export const notFound = (...errors: string[]): ApiError => new ApiError(404, "The target couldn't be found.", errors);

export interface ApiEnv {
  Variables: {
    world: World;
    doer: UserRecord | undefined;
    token: TokenRecord | undefined;
    /** Set under `/repos/{owner}/{repo}`, with what the asker may do there. */
    repo: RepoRecord;
    mode: AccessMode;
  };
}
export type ApiContext = Context<ApiEnv>;

/** Finds out who asks; a token that is none of ours is refused at once. */
export const authenticate: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const identity = identify(c.var.world.store, c.req.header("authorization"));
  if (identity === "bad") throw new ApiError(401, "invalid username, password or token");
  c.set("doer", identity === "none" ? undefined : identity.user);
  c.set("token", identity === "none" ? undefined : identity.token);
  await next();
};

/** A token needs the scope that the method asks for; without a token nothing is said here. */
export function checkScope(c: ApiContext, category: ScopeCategory): void {
  const level = c.req.method === "GET" || c.req.method === "HEAD" ? "read" : "write";
  if (!c.var.token || hasScope(c.var.token.scopes, level, category)) return;
  throw new ApiError(403, `token does not have at least one of required scope(s): [${level}:${category}]`);
}

export function signedIn(c: ApiContext): UserRecord {
  if (!c.var.doer) throw new ApiError(401, "token is required");
  return c.var.doer;
}

const isIssuePath = (path: string): boolean => /^\/api\/v1\/repos\/[^/]+\/[^/]+\/(issues|labels)(\/|$)/.test(path);

/** Sets the repository; one that the asker may not see is not there. */
export const assignRepo: MiddlewareHandler<ApiEnv> = async (c, next) => {
  checkScope(c, isIssuePath(c.req.path) ? "issue" : "repository");
  const repo = c.var.world.store.repo(c.req.param("owner") ?? "", c.req.param("name") ?? "");
  if (!repo) throw notFound();
  const mode = accessWith(c.var.token, c.var.doer, repo);
  if (mode === "none") throw notFound();
  c.set("repo", repo);
  c.set("mode", mode);
  await next();
};

export const can = (c: ApiContext, wanted: AccessMode): boolean => atLeast(c.var.mode, wanted);

export function needWriter(c: ApiContext): void {
  if (!can(c, "write")) throw new ApiError(403, "user should have a permission to write to a repo");
}

export function needAdmin(c: ApiContext): void {
  if (can(c, "admin")) return;
  throw new ApiError(403, "user should be an owner or a collaborator with admin write of a repository");
}

export function notArchived(c: ApiContext): void {
  const { repo } = c.var;
  if (repo.archived) throw new ApiError(423, `<Repository ${repo.id}:${repo.owner}/${repo.name}> is archived`);
}

/** A path parameter of digits. */
export function idParam(c: ApiContext, name: string): number {
  const id = Number(c.req.param(name));
  if (!Number.isSafeInteger(id)) throw notFound();
  return id;
}

/** Reads the JSON body; Forgejo answers 422 to what does not fit. */
export async function readBody<T extends z.ZodType>(c: ApiContext, schema: T): Promise<z.output<T>> {
  const text = await c.req.text();
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = String(issue?.path[0] ?? "");
  const name = field.replace(/(^|_)([a-z])/g, (_all, _dash, letter: string) => letter.toUpperCase());
  const missing = issue?.code === "too_small" || /undefined|Required/.test(issue?.message ?? "");
  throw new ApiError(422, `[${name}]: ${missing ? "Required" : (issue?.message ?? "invalid")}`);
}

function parseJson(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ApiError(422, `[]: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A text that Go's binding calls required: there, and not empty. */
export const requiredText = z.string().min(1);
