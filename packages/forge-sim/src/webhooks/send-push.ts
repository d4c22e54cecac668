import { toPayloadCommit } from "../convert/commit.ts";
import { htmlUrl, toRepo } from "../convert/repo.ts";
import { toUser } from "../convert/user.ts";
import { type CommitInfo, countCommits, readCommit, readCommits } from "../git/commits.ts";
import { type RefChange, zeroSha } from "../git/refs.ts";
import type { RepoRecord, UserRecord } from "../state/records.ts";
import type { World } from "../world.ts";
import { send } from "./send.ts";

/** Forgejo's `PAYLOAD_COMMIT_LIMIT`. */
const payloadCommits = 15;
/** A new branch shows its last commits, whatever other branch has them too. */
const newBranchCommits = 10;

/** What one changed ref sends: `create` and `push`, `push`, or `delete`; a tag sends `push` every time. */
export async function sendRefChange(
  world: World,
  repo: RepoRecord,
  pusher: UserRecord,
  change: RefChange,
): Promise<void> {
  const { ref, before, after } = change;
  if (ref.startsWith("refs/tags/")) {
    push(world, repo, pusher, change, {
      commits: [],
      total: 0,
      head: undefined,
      compareUrl: compare(world, repo, change),
    });
    if (before === zeroSha) sendCreate(world, repo, pusher, change);
    if (after === zeroSha) sendDelete(world, repo, pusher, ref);
    return;
  }
  if (after === zeroSha) {
    sendDelete(world, repo, pusher, ref);
    return;
  }
  const pushed = await pushedCommits(world, repo, change);
  if (before === zeroSha) sendCreate(world, repo, pusher, change);
  push(world, repo, pusher, change, pushed);
}

interface Pushed {
  commits: CommitInfo[];
  total: number;
  head: CommitInfo | undefined;
  compareUrl: string;
}

async function pushedCommits(world: World, repo: RepoRecord, change: RefChange): Promise<Pushed> {
  const { before, after } = change;
  const head = await readCommit(repo.dir, after);
  if (before !== zeroSha) {
    const range = `${before}..${after}`;
    const commits = await readCommits(repo.dir, range, [`--max-count=${payloadCommits}`]);
    return { commits, total: await countCommits(repo.dir, range), head, compareUrl: compare(world, repo, change) };
  }
  const commits = await readCommits(repo.dir, after, [`--max-count=${newBranchCommits}`]);
  const parent = commits.at(-1)?.parents[0];
  const other = `refs/heads/${repo.defaultBranch}` === change.ref ? undefined : repo.defaultBranch;
  const from = parent ?? other;
  const compareUrl = from === undefined ? `${world.url}/` : compare(world, repo, { ...change, before: from });
  return { commits, total: commits.length, head, compareUrl };
}

const compare = (world: World, repo: RepoRecord, { before, after }: RefChange): string =>
  before === zeroSha ? `${world.url}/` : `${htmlUrl(world, repo)}/compare/${before}...${after}`;

function push(world: World, repo: RepoRecord, pusher: UserRecord, change: RefChange, pushed: Pushed): void {
  const user = toUser(world, pusher);
  const payload = {
    ref: change.ref,
    before: change.before,
    after: change.after,
    compare_url: pushed.compareUrl,
    commits: pushed.commits.map((commit) => toPayloadCommit(world, repo, commit)),
    total_commits: pushed.total,
    head_commit: pushed.head ? toPayloadCommit(world, repo, pushed.head) : null,
    repository: toRepo(world, repo, "owner"),
    pusher: user,
    sender: user,
  };
  send(world, repo, "push", payload, change.ref);
}

const refType = (ref: string): string => (ref.startsWith("refs/tags/") ? "tag" : "branch");

function sendCreate(world: World, repo: RepoRecord, pusher: UserRecord, { ref, after }: RefChange): void {
  const rest = { repository: toRepo(world, repo, "none"), sender: toUser(world, pusher) };
  send(world, repo, "create", { sha: after, ref, ref_type: refType(ref), ...rest }, ref);
}

function sendDelete(world: World, repo: RepoRecord, pusher: UserRecord, ref: string): void {
  const rest = { repository: toRepo(world, repo, "owner"), sender: toUser(world, pusher) };
  send(world, repo, "delete", { ref, ref_type: refType(ref), pusher_type: "user", ...rest }, ref);
}
