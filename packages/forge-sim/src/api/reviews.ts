import { Hono } from "hono";
import { z } from "zod";
import { toReview, toReviewComment } from "../convert/review.ts";
import { resolveCommit } from "../git/commits.ts";
import { submitReview } from "../reviews.ts";
import type { PullIssue, ReviewRecord, ReviewState, UserRecord } from "../state/records.ts";
import { type ApiContext, type ApiEnv, ApiError, idParam, notArchived, notFound, readBody, signedIn } from "./base.ts";
import { page } from "./paging.ts";
import { pullParam } from "./pulls.ts";

const reviews = "/:number{[0-9]+}/reviews";
const one = `${reviews}/:id{[0-9]+}` as const;

/** `/pulls/{n}/reviews`. */
export const reviewRoutes = new Hono<ApiEnv>()
  .get(reviews, listReviews)
  .post(reviews, createReview)
  .get(one, (c) => c.json(toReview(c.var.world, reviewParam(c), c.var.doer)))
  .post(one, submitPending)
  .get(`${one}/comments`, listComments);

const maySee = (doer: UserRecord | undefined, { state, reviewerId }: ReviewRecord): boolean =>
  state !== "PENDING" || doer?.id === reviewerId || doer?.admin === true;

function reviewParam(c: ApiContext): ReviewRecord {
  const review = pullParam(c).pull.reviews.get(idParam(c, "id"));
  if (!review || !maySee(c.var.doer, review)) throw notFound();
  return review;
}

/** Others' pending reviews are taken out of the page, but not out of the count: so a page may be short. */
function listReviews(c: ApiContext): Response {
  const { world, doer } = c.var;
  const listed = page(c, [...pullParam(c).pull.reviews.values()]).filter((review) => maySee(doer, review));
  return c.json(listed.map((review) => toReview(world, review, doer)));
}

/** Unpaged. Forgejo walks a map, so that the order is chance: here it is never that of their making. */
function listComments(c: ApiContext): Response {
  const { world, doer } = c.var;
  const review = reviewParam(c);
  return c.json(review.comments.toReversed().map((comment) => toReviewComment(world, review, comment, doer)));
}

const Verdict = z.object({ event: z.string().default(""), body: z.string().default("") });
const Position = z.int().default(0);
const CreateReview = Verdict.extend({
  commit_id: z.string().default(""),
  comments: z
    .array(
      z.object({
        path: z.string().default(""),
        body: z.string().default(""),
        new_position: Position,
        old_position: Position,
      }),
    )
    .nullish(),
});

/** Any other event than the three makes or keeps a pending review. */
function stateFor(issue: PullIssue, doer: UserRecord, verdict: z.output<typeof Verdict>, remarks: number): ReviewState {
  const { event, body } = verdict;
  const hasBody = body.trim() !== "";
  const own = issue.posterId === doer.id;
  if (event === "APPROVED") {
    if (own) throw new ApiError(422, "approve your own pull is not allowed");
    return event;
  }
  if (event === "COMMENT") {
    if (!hasBody && remarks === 0) throw new ApiError(422, `review event ${event} requires a body or a comment`);
    return event;
  }
  if (event === "REQUEST_CHANGES" && own) throw new ApiError(422, "reject your own pull is not allowed");
  if (!hasBody) throw new ApiError(422, `review event ${event} requires a body`);
  return event === "REQUEST_CHANGES" ? event : "PENDING";
}

async function createReview(c: ApiContext): Promise<Response> {
  const doer = signedIn(c);
  notArchived(c);
  const { world, repo } = c.var;
  const body = await readBody(c, CreateReview);
  const issue = pullParam(c);
  const comments = body.comments ?? [];
  const state = stateFor(issue, doer, body, comments.length);
  const commitId = body.commit_id === "" ? issue.pull.headSha : body.commit_id;
  const known = await resolveCommit(repo.dir, commitId);
  if (known !== commitId) throw new ApiError(500, `object does not exist [id: ${commitId}]`);
  const remarks = comments.map(({ path, body: text, new_position: now, old_position: old }) => ({
    path,
    body: text,
    line: old > 0 ? -old : now,
  }));
  const review = await submitReview(world, doer, issue, { state, body: body.body, commitId, remarks });
  return c.json(toReview(world, review, doer));
}

async function submitPending(c: ApiContext): Promise<Response> {
  const doer = signedIn(c);
  notArchived(c);
  const { world } = c.var;
  const verdict = await readBody(c, Verdict);
  const pending = reviewParam(c);
  if (pending.state !== "PENDING") throw new ApiError(422, "only a pending review can be submitted");
  const { issue } = pending;
  const state = stateFor(issue, doer, verdict, pending.comments.length);
  if (state === "PENDING") throw new ApiError(422, "review stay pending");
  const { headSha } = issue.pull;
  const review = await submitReview(world, doer, issue, { state, body: verdict.body, commitId: headSha, remarks: [] });
  return c.json(toReview(world, review, doer));
}
