import { blame } from "./git/commits.ts";
import { diffText, mergeBase } from "./git/diff.ts";
import { hunkAround } from "./git/hunk.ts";
import { branchRef } from "./git/refs.ts";
import { contentDiffers } from "./pushes.ts";
import { accessOf, atLeast } from "./state/access.ts";
import type {
  PullIssue,
  RepoRecord,
  ReviewCommentRecord,
  ReviewRecord,
  ReviewState,
  UserRecord,
} from "./state/records.ts";
import { sendReview } from "./webhooks/send.ts";
import type { World } from "./world.ts";

export interface Remark {
  path: string;
  body: string;
  /** Below zero: of the file as it was. */
  line: number;
}

export interface Verdict {
  state: ReviewState;
  body: string;
  commitId: string;
  remarks: readonly Remark[];
}

const pendingReview = ({ pull }: PullIssue, reviewer: UserRecord): ReviewRecord | undefined =>
  pull.reviews.values().find(({ state, reviewerId }) => state === "PENDING" && reviewerId === reviewer.id);

/** As in Forgejo, the reviewer's pending review becomes this one, with the remarks that it had. */
export async function submitReview(
  world: World,
  reviewer: UserRecord,
  issue: PullIssue,
  { state, body, commitId, remarks }: Verdict,
): Promise<ReviewRecord> {
  const repo = world.store.repoOf(issue);
  const decides = state === "APPROVED" || state === "REQUEST_CHANGES";
  const stale = decides && (await isStale(repo, issue, commitId));
  const placed = await Promise.all(remarks.map((remark) => place(repo, issue, commitId, remark)));
  const at = world.store.now();
  const review = pendingReview(issue, reviewer) ?? begin(world, reviewer, issue);
  if (decides) for (const earlier of reviewsBy(issue, reviewer)) earlier.official = false;
  Object.assign(review, { state, body, commitId, stale, updatedAt: at });
  review.official = decides && atLeast(accessOf(reviewer, repo), "write");
  for (const remark of placed) {
    review.comments.push({ ...remark, id: world.store.nextId("comment"), posterId: reviewer.id, createdAt: at });
  }
  review.anchor = world.store.nextId("comment");
  issue.updatedAt = at;
  sendReview(world, review);
  return review;
}

const reviewsBy = ({ pull }: PullIssue, { id }: UserRecord): ReviewRecord[] =>
  [...pull.reviews.values()].filter(({ reviewerId }) => reviewerId === id);

function begin(world: World, reviewer: UserRecord, issue: PullIssue): ReviewRecord {
  const at = world.store.now();
  const review: ReviewRecord = {
    id: world.store.nextId("review"),
    issue,
    reviewerId: reviewer.id,
    state: "PENDING",
    body: "",
    commitId: "",
    stale: false,
    official: false,
    anchor: 0,
    createdAt: at,
    updatedAt: at,
    comments: [],
  };
  issue.pull.reviews.set(review.id, review);
  return review;
}

/** Whether the commit that was looked at has another content than the head; throws for one that is not there. */
async function isStale(repo: RepoRecord, { pull }: PullIssue, commitId: string): Promise<boolean> {
  if (commitId === pull.headSha) return false;
  const base = repo.refs.get(branchRef(pull.baseBranch)) ?? pull.mergeBase;
  const from = (await mergeBase(repo.dir, base, commitId)) ?? base;
  return contentDiffers(repo, { headSha: commitId, mergeBase: from }, pull);
}

type Placed = Pick<ReviewCommentRecord, "path" | "body" | "line" | "commitId" | "hunk">;

/** Forgejo takes a path and a line that the diff does not have as well: they have no hunk. */
async function place(repo: RepoRecord, { pull }: PullIssue, commitId: string, remark: Remark): Promise<Placed> {
  const { path, line } = remark;
  const writer = line > 0 ? await blame(repo.dir, commitId, path, line) : undefined;
  const diff = await diffText(repo.dir, pull.mergeBase, pull.headSha, [path]);
  const hunk = hunkAround(diff, line < 0 ? "old" : "new", Math.abs(line));
  return { ...remark, commitId: writer ?? pull.headSha, hunk };
}
