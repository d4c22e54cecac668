import { Hono } from "hono";
import type { ContentfulStatusCode, StatusCode } from "hono/utils/http-status";
import type { World } from "../world.ts";
import { type ApiContext, type ApiEnv, ApiError, assignRepo, authenticate, notFound } from "./base.ts";
import { branchRoutes } from "./branches.ts";
import { commentRoutes } from "./comments.ts";
import { commitRoutes } from "./commits.ts";
import { hookRoutes } from "./hooks.ts";
import { issueRoutes } from "./issues.ts";
import { issueLabelRoutes, labelRoutes } from "./labels.ts";
import { pullRoutes } from "./pulls.ts";
import { reactionRoutes } from "./reactions.ts";
import { repoRoutes } from "./repos.ts";
import { reviewRoutes } from "./reviews.ts";
import { userRoutes } from "./users.ts";

/** The REST API under `/api/v1`. */
export function apiApp(world: World): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>({ strict: false }).basePath("/api/v1");
  app.use(async (c, next) => {
    c.set("world", world);
    await next();
    c.header("X-Content-Type-Options", "nosniff");
  });
  app.use(authenticate);
  app.route("/", userRoutes);
  const repo = "/repos/:owner/:name";
  app.use(`${repo}/*`, assignRepo);
  for (const routes of [issueLabelRoutes, commentRoutes, reactionRoutes, issueRoutes]) {
    app.route(`${repo}/issues`, routes);
  }
  app.route(`${repo}/labels`, labelRoutes);
  app.route(`${repo}/branches`, branchRoutes);
  app.route(`${repo}/pulls`, reviewRoutes);
  app.route(`${repo}/pulls`, pullRoutes);
  app.route(`${repo}/hooks`, hookRoutes);
  app.route(repo, commitRoutes);
  app.route(repo, repoRoutes);
  app.notFound((c) => answer(c, notFound()));
  app.onError((error, c) => answer(c, error));
  return app;
}

/** Forgejo's shape: `message`, the address of the API's description, and `errors` for a 404. */
function answer(c: ApiContext, error: Error): Response {
  const url = `${c.var.world.url}/api/swagger`;
  if (!(error instanceof ApiError)) return c.json({ message: error.stack ?? error.message, url }, 500);
  if (error.empty) return c.body(null, error.status as StatusCode);
  const errors = error.errors ? { errors: error.errors } : {};
  return c.json({ message: error.message, url, ...errors }, error.status as ContentfulStatusCode);
}
