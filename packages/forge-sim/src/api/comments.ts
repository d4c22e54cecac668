import { Hono } from "hono";
import { z } from "zod";
import { toComment } from "../convert/issue.ts";
import type { CommentRecord } from "../state/records.ts";
import { sendCommentEvent } from "../webhooks/send.ts";
import {
  type ApiContext,
  type ApiEnv,
  ApiError,
  can,
  idParam,
  notArchived,
  notFound,
  readBody,
  requiredText,
  signedIn,
} from "./base.ts";
import { issueParam } from "./issues.ts";
import { page, total, withinQuery } from "./paging.ts";

/** Comments of an issue, of the whole repository, and each by its id. */
export const commentRoutes = new Hono<ApiEnv>()
  .get("/comments", listRepoComments)
  .get("/comments/:id{[0-9]+}", (c) => c.json(toComment(c.var.world, commentParam(c))))
  .patch("/comments/:id{[0-9]+}", editComment)
  .delete("/comments/:id{[0-9]+}", deleteComment)
  .get("/:number{[0-9]+}/comments", listIssueComments)
  .post("/:number{[0-9]+}/comments", createComment);

export function commentParam(c: ApiContext): CommentRecord {
  const id = idParam(c, "id");
  const comment = c.var.world.store.comment(c.var.repo, id);
  if (!comment) throw notFound(`comment does not exist [id: ${id}, issue_id: 0]`);
  return comment;
}

/** Every comment at once: Forgejo does not page this list. */
function listIssueComments(c: ApiContext): Response {
  const comments = [...issueParam(c).comments.values()].filter(withinQuery(c));
  total(c, comments.length);
  return c.json(comments.map((comment) => toComment(c.var.world, comment)));
}

function listRepoComments(c: ApiContext): Response {
  const comments = [...c.var.repo.issues.values()]
    .flatMap((issue) => [...issue.comments.values()])
    .filter(withinQuery(c))
    .toSorted((a, b) => a.createdAt - b.createdAt || a.id - b.id);
  return c.json(page(c, comments).map((comment) => toComment(c.var.world, comment)));
}

async function createComment(c: ApiContext): Promise<Response> {
  const doer = signedIn(c);
  notArchived(c);
  const { body } = await readBody(c, z.object({ body: requiredText }));
  const { world } = c.var;
  const issue = issueParam(c);
  const at = world.store.now();
  const comment: CommentRecord = {
    id: world.store.nextId("comment"),
    issue,
    posterId: doer.id,
    body,
    createdAt: at,
    updatedAt: at,
    reactions: [],
  };
  issue.comments.set(comment.id, comment);
  issue.updatedAt = at;
  sendCommentEvent(world, "created", doer, comment);
  return c.json(toComment(world, comment), 201);
}

function checkMayChange(c: ApiContext, comment: CommentRecord): void {
  if (signedIn(c).id !== comment.posterId && !can(c, "write")) throw new ApiError(403);
}

async function editComment(c: ApiContext): Promise<Response> {
  notArchived(c);
  const doer = signedIn(c);
  const { body } = await readBody(c, z.object({ body: requiredText }));
  const comment = commentParam(c);
  checkMayChange(c, comment);
  const from = comment.body;
  comment.body = body;
  comment.updatedAt = c.var.world.store.now();
  sendCommentEvent(c.var.world, "edited", doer, comment, from);
  return c.json(toComment(c.var.world, comment));
}

function deleteComment(c: ApiContext): Response {
  const doer = signedIn(c);
  const comment = commentParam(c);
  checkMayChange(c, comment);
  comment.issue.comments.delete(comment.id);
  comment.issue.updatedAt = c.var.world.store.now();
  sendCommentEvent(c.var.world, "deleted", doer, comment);
  return c.body(null, 204);
}
