import { Hono } from "hono";
import { z } from "zod";
import { toHook } from "../convert/hook.ts";
import type { HookRecord } from "../state/records.ts";
import { subscribe } from "../webhooks/events.ts";
import { type ApiContext, type ApiEnv, ApiError, idParam, needAdmin, notFound, readBody, signedIn } from "./base.ts";
import { page } from "./paging.ts";

/** `/hooks`: for administrators of the repository. */
export const hookRoutes = new Hono<ApiEnv>()
  .use(async (c, next) => {
    signedIn(c);
    needAdmin(c);
    await next();
  })
  .get("/", (c) => c.json(page(c, [...c.var.repo.hooks.values()]).map(toHook)))
  .post("/", createHook)
  .get("/:id{[0-9]+}", (c) => c.json(toHook(hookParam(c))))
  .patch("/:id{[0-9]+}", editHook)
  .delete("/:id{[0-9]+}", (c) => {
    const hook = hookParam(c);
    c.var.repo.hooks.delete(hook.id);
    return c.body(null, 204);
  });

function hookParam(c: ApiContext): HookRecord {
  const hook = c.var.repo.hooks.get(idParam(c, "id"));
  if (!hook) throw notFound();
  return hook;
}

const config = z.record(z.string(), z.string());
const CreateHook = z.object({
  type: z.string().min(1),
  config,
  events: z.array(z.string()).nullish(),
  branch_filter: z.string().nullish(),
  authorization_header: z.string().nullish(),
  active: z.boolean().nullish(),
});

const types = new Set(["forgejo", "gitea", "gogs"]);

function checkConfig(given: Record<string, string>): void {
  const { url, content_type: contentType } = given;
  if (contentType !== undefined && contentType !== "json" && contentType !== "form") {
    throw new ApiError(422, "Invalid content type");
  }
  if (contentType === "form") throw new ApiError(422, "forge-sim sends content_type json only");
  if (url !== undefined && !/^https?:\/\/./.test(url)) throw new ApiError(422, "Invalid url");
}

async function createHook(c: ApiContext): Promise<Response> {
  const body = await readBody(c, CreateHook);
  if (!types.has(body.type)) throw new ApiError(422, `Invalid hook type: ${body.type}`);
  for (const name of ["url", "content_type"]) {
    if (body.config[name] === undefined) throw new ApiError(422, `Missing config option: ${name}`);
  }
  checkConfig(body.config);
  const at = c.var.world.store.now();
  const hook: HookRecord = {
    id: c.var.world.store.nextId("hook"),
    type: body.type,
    url: body.config["url"] ?? "",
    contentType: body.config["content_type"] ?? "json",
    secret: body.config["secret"] ?? "",
    events: subscribe(body.events ?? []),
    branchFilter: body.branch_filter ?? "",
    authorizationHeader: body.authorization_header ?? "",
    active: body.active ?? false,
    createdAt: at,
    updatedAt: at,
  };
  c.var.repo.hooks.set(hook.id, hook);
  return c.json(toHook(hook), 201);
}

/** The secret stays as it was, whatever is sent; events that are not sent again are reset to `push`. */
async function editHook(c: ApiContext): Promise<Response> {
  const body = await readBody(c, CreateHook.omit({ type: true }).partial());
  const hook = hookParam(c);
  checkConfig(body.config ?? {});
  hook.url = body.config?.["url"] ?? hook.url;
  hook.contentType = body.config?.["content_type"] ?? hook.contentType;
  hook.events = subscribe(body.events ?? []);
  hook.branchFilter = body.branch_filter ?? "";
  hook.authorizationHeader = body.authorization_header ?? "";
  hook.active = body.active ?? hook.active;
  hook.updatedAt = c.var.world.store.now();
  return c.json(toHook(hook));
}
