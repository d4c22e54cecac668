import { Hono } from "hono";
import { z } from "zod";
import { toReaction } from "../convert/issue.ts";
import type { CommentRecord, IssueRecord, ReactionRecord } from "../state/records.ts";
import { type ApiContext, type ApiEnv, ApiError, readBody, requiredText, signedIn } from "./base.ts";
import { commentParam } from "./comments.ts";
import { issueParam } from "./issues.ts";
import { page, total } from "./paging.ts";

const allowed = new Set(["+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"]);

/** Reactions to issues and comments: no webhook, and no change of `updated_at`. */
export const reactionRoutes = new Hono<ApiEnv>()
  .get("/:number{[0-9]+}/reactions", (c) => list(c, page(c, issueParam(c).reactions)))
  .post("/:number{[0-9]+}/reactions", (c) => add(c, issueParam(c)))
  .delete("/:number{[0-9]+}/reactions", (c) => remove(c, issueParam(c)))
  .get("/comments/:id{[0-9]+}/reactions", (c) => {
    const { reactions } = commentParam(c);
    total(c, reactions.length);
    return list(c, reactions);
  })
  .post("/comments/:id{[0-9]+}/reactions", (c) => add(c, commentParam(c)))
  .delete("/comments/:id{[0-9]+}/reactions", (c) => remove(c, commentParam(c)));

/** Null when there is none: Go's nil slice. */
function list(c: ApiContext, reactions: readonly ReactionRecord[]): Response {
  const shown = reactions.map((reaction) => toReaction(c.var.world, reaction, c.var.doer));
  return c.json(shown.length > 0 ? shown : null);
}

/** 201, and 200 when it was there already. */
async function add(c: ApiContext, target: IssueRecord | CommentRecord): Promise<Response> {
  const doer = signedIn(c);
  const { content } = await readBody(c, z.object({ content: requiredText }));
  if (!allowed.has(content)) throw new ApiError(403, `'${content}' is not an allowed reaction`);
  const old = target.reactions.find((one) => one.userId === doer.id && one.content === content);
  if (old) return c.json(toReaction(c.var.world, old, doer), 200);
  const reaction = { userId: doer.id, content, createdAt: c.var.world.store.now() };
  target.reactions.push(reaction);
  return c.json(toReaction(c.var.world, reaction, doer), 201);
}

async function remove(c: ApiContext, target: IssueRecord | CommentRecord): Promise<Response> {
  const doer = signedIn(c);
  const { content } = await readBody(c, z.object({ content: requiredText }));
  target.reactions = target.reactions.filter((one) => one.userId !== doer.id || one.content !== content);
  return c.body(null, 200);
}
