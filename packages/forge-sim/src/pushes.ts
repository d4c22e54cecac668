import { changedFiles, diffText, mergeBase } from "./git/diff.ts";
import { branchRef, type RefChange, readRefs, refChanges, zeroSha } from "./git/refs.ts";
import { git } from "./git/run.ts";
import type { PullIssue, PullRecord, RepoRecord, UserRecord } from "./state/records.ts";
import { isPull, sendIssueEvent } from "./webhooks/send.ts";
import { sendRefChange } from "./webhooks/send-push.ts";
import type { World } from "./world.ts";

/** Looks at the bare repository again and does all that Forgejo does after a push. */
export async function noticeRefs(world: World, repo: RepoRecord, pusher: UserRecord): Promise<void> {
  const after = await readRefs(repo.dir);
  const changes = refChanges(repo.refs, after);
  if (changes.length === 0) return;
  if (repo.refs.size === 0) adoptDefaultBranch(repo, changes);
  repo.refs = after;
  repo.updatedAt = world.store.now();
  for (const change of changes) {
    await updatePulls(world, repo, change);
    await sendRefChange(world, repo, pusher, change);
    for (const issue of pullsFrom(repo, change)) reactToPush(world, pusher, issue, change);
  }
}

function adoptDefaultBranch(repo: RepoRecord, changes: readonly RefChange[]): void {
  const first = changes.find(({ ref }) => ref.startsWith("refs/heads/"));
  const hasMain = changes.some(({ ref }) => ref === branchRef(repo.defaultBranch));
  if (first && !hasMain) repo.defaultBranch = first.ref.slice("refs/heads/".length);
}

const openPulls = (repo: RepoRecord): PullIssue[] =>
  [...repo.issues.values()].filter(isPull).filter((issue) => issue.state === "open");

const pullsFrom = (repo: RepoRecord, { ref }: RefChange): PullIssue[] =>
  openPulls(repo).filter(({ pull }) => branchRef(pull.headBranch) === ref);

async function updatePulls(world: World, repo: RepoRecord, change: RefChange): Promise<void> {
  if (change.after === zeroSha) return;
  const reviewed = pullsFrom(repo, change).map(({ pull }) => ({ pull, ...pull }));
  for (const issue of pullsFrom(repo, change)) {
    issue.pull.headSha = change.after;
    await git(repo.dir, ["update-ref", `refs/pull/${issue.number}/head`, change.after]);
  }
  const touched = openPulls(repo).filter(({ pull }) =>
    [pull.headBranch, pull.baseBranch].some((branch) => branchRef(branch) === change.ref),
  );
  for (const issue of touched) {
    Object.assign(issue.pull, await compareBranches(repo, issue.pull));
    world.mergeChecks.schedule(repo, issue);
  }
  for (const before of reviewed) await ageReviews(repo, before.pull, before);
}

type Content = Pick<PullRecord, "headSha" | "mergeBase">;

/** New content makes every review stale, but one of just this commit. */
async function ageReviews(repo: RepoRecord, pull: PullRecord, before: Content): Promise<void> {
  if (pull.reviews.size === 0) return;
  const changed = await contentDiffers(repo, before, pull);
  for (const review of pull.reviews.values()) {
    if (review.commitId === pull.headSha) review.stale = false;
    else if (changed) review.stale = true;
  }
}

/** Whether two states of a pull request change different things, whatever their base. */
export async function contentDiffers(repo: RepoRecord, one: Content, other: Content): Promise<boolean> {
  const [first, second] = await Promise.all(
    [one, other].map(({ mergeBase: base, headSha }) => diffText(repo.dir, base, headSha)),
  );
  return first !== second;
}

/** New commits are told as `synchronized`; a deleted head branch closes its pull requests. */
function reactToPush(world: World, pusher: UserRecord, issue: PullIssue, { after }: RefChange): void {
  issue.updatedAt = world.store.now();
  if (after !== zeroSha) {
    sendIssueEvent(world, { kind: "sync", action: "synchronized", doer: pusher, issue });
    return;
  }
  issue.state = "closed";
  issue.closedAt = world.store.now();
  sendIssueEvent(world, { kind: "plain", action: "closed", doer: pusher, issue });
}

type Comparison = Pick<PullRecord, "mergeBase" | "additions" | "deletions" | "changedFiles">;

/** Where the two branches parted, and how much lies between. */
export async function compareBranches(
  repo: RepoRecord,
  { headSha, baseBranch }: Pick<PullRecord, "headSha" | "baseBranch">,
): Promise<Comparison> {
  const base = repo.refs.get(branchRef(baseBranch)) ?? headSha;
  const from = (await mergeBase(repo.dir, base, headSha)) ?? base;
  const files = await changedFiles(repo.dir, from, headSha);
  return {
    mergeBase: from,
    additions: files.reduce((sum, file) => sum + file.additions, 0),
    deletions: files.reduce((sum, file) => sum + file.deletions, 0),
    changedFiles: files.length,
  };
}
