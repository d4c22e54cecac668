import type { ReviewCommentRecord, ReviewRecord, UserRecord } from "../state/records.ts";
import type { World } from "../world.ts";
import { issueHtmlUrl } from "./issue.ts";
import { time } from "./time.ts";
import { toUser } from "./user.ts";

export type ApiReview = ReturnType<typeof toReview>;
export type ApiReviewComment = ReturnType<typeof toReviewComment>;

export function toReview(world: World, review: ReviewRecord, doer?: UserRecord) {
  const html = issueHtmlUrl(world, review.issue);
  return {
    id: review.id,
    user: toUser(world, world.store.userById(review.reviewerId), doer),
    team: null,
    state: review.state,
    body: review.body,
    commit_id: review.commitId,
    stale: review.stale,
    official: review.official,
    dismissed: false,
    comments_count: review.comments.length,
    submitted_at: time(review.createdAt),
    updated_at: time(review.updatedAt),
    html_url: `${html}#issuecomment-${review.anchor}`,
    pull_request_url: html,
  };
}

/** A position is a line of the file; 0 on the side that the remark does not stand on. */
export function toReviewComment(world: World, review: ReviewRecord, comment: ReviewCommentRecord, doer?: UserRecord) {
  const html = issueHtmlUrl(world, review.issue);
  return {
    id: comment.id,
    body: comment.body,
    user: toUser(world, world.store.userById(comment.posterId), doer),
    resolver: null,
    pull_request_review_id: review.id,
    created_at: time(comment.createdAt),
    updated_at: time(comment.createdAt),
    path: comment.path,
    commit_id: comment.commitId,
    original_commit_id: "",
    diff_hunk: comment.hunk,
    position: Math.max(comment.line, 0),
    original_position: Math.max(-comment.line, 0),
    html_url: `${html}${review.state === "PENDING" ? "/files" : ""}#issuecomment-${comment.id}`,
    pull_request_url: html,
  };
}
