import type { LaneKey } from "../domain/ids.ts";
import { type CommandResult, describeFailure, outputText, succeeded } from "../domain/process.ts";
import { branchFault } from "./branch.ts";
import { readBundle } from "./bundle.ts";
import { inspectScript } from "./checkout-script.ts";
import { authorization, type Mirror } from "./mirror.ts";
import { isSha, type JailedRunner, type Remote } from "./ports.ts";
import { indexPack, isConnected, laneRefs } from "./take-in.ts";

export interface PublishRequest {
  lane: LaneKey;
  mirror: Pick<Mirror, "git" | "exclusively">;
  branch: string;
  /** Name of the branch that the pull request goes to, and its commit when the run began. */
  base: { branch: string; sha: string };
  defaultBranch: string;
  /** The branch's commit on the forge when the run began; null where it was not there. */
  forgeHead: string | null;
  /** With the credential of the agent's own user. */
  remote: Remote;
  maxPackBytes: number;
  timeoutMs: number;
  signal?: AbortSignal;
}

/** What stands on the branch since the run began, as the mirror has it. */
export interface PublishedWork {
  commits: number;
  /** Newest first, 50 at most. */
  subjects: string[];
  /** As `3 files changed, 12 insertions(+)`. */
  shortstat: string;
}

/** What the agent's checkout says of itself: its word, for people to read. */
export interface Leftovers {
  /** As `M src/a.ts`; 200 at most. */
  uncommitted: string[];
  /** Where the agent left the checkout, if not on its branch. */
  leftOn: string | null;
}

export type PublishResult = { leftovers: Leftovers } & (
  | { kind: "published"; head: string; alreadyThere: boolean; work: PublishedWork }
  | { kind: "no-change"; detail: string }
  | { kind: "refused"; detail: string }
  /** Another try can help, with the same commits. */
  | { kind: "push-failed"; detail: string }
  /** Somebody else pushed: the agent has to look at it. */
  | { kind: "moved"; detail: string }
);

type Refusal = { kind: "no-change" | "refused" | "push-failed" | "moved"; detail: string };
type Step<T> = { kind: "ok"; value: T } | Refusal;

const refused = (detail: string): Refusal => ({ kind: "refused", detail });
/** Nobody's fault in the branch: another try can help. */
const interrupted = (what: string, result: CommandResult): Refusal => ({
  kind: "push-failed",
  detail: `${what}: ${describeFailure(result)}`,
});
const ok = <T>(value: T): Step<T> => ({ kind: "ok", value });

/**
 * Takes the branch out of the jail as a bundle, indexes it strictly into the mirror, and pushes exactly that commit to
 * exactly that branch. Called again after a crash at any point, with the same request, it ends in the same state.
 */
export async function publish(jail: Pick<JailedRunner, "run">, request: PublishRequest): Promise<PublishResult> {
  const nothing: Leftovers = { uncommitted: [], leftOn: null };
  const wrong = branchFault(request);
  if (wrong !== null) return { ...refused(wrong), leftovers: nothing };
  const left = await inspect(jail, request);
  if (left.kind !== "ok") return { ...left, leftovers: nothing };
  const { leftovers } = left.value;
  const taken = await takeIn(jail, request, left.value.head);
  if (taken.kind !== "ok") return { ...taken, leftovers };
  const head = taken.value;
  const pushed = await push(request, head);
  if (pushed.kind !== "ok") return { ...pushed, leftovers };
  return {
    kind: "published",
    head,
    alreadyThere: pushed.value.alreadyThere,
    work: await workOf(request, head),
    leftovers,
  };
}

async function inspect(
  jail: Pick<JailedRunner, "run">,
  request: PublishRequest,
): Promise<Step<{ head: string; leftovers: Leftovers }>> {
  const bounds = { ...boundsOf(request), timeoutMs: Math.min(request.timeoutMs, 60_000), maxOutputBytes: 1_048_576 };
  const result = await jail.run(["/bin/bash", "-c", inspectScript, "inspect", request.branch], bounds);
  if (!succeeded(result)) return interrupted("The checkout cannot be read", result);
  const lines = outputText(result).split("\n");
  const all = (name: string) =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  const [head = ""] = all("head");
  const [on = "no branch"] = all("on");
  const leftovers = {
    uncommitted: all("change").map((line) => line.trim()),
    leftOn: on === request.branch ? null : on,
  };
  if (!isSha(head)) return refused(`The checkout has no branch "${request.branch}" any more.`);
  return ok({ head, leftovers });
}

/** Brings the lane's commit into the mirror and onto the lane's ref there; answers the commit. */
async function takeIn(jail: Pick<JailedRunner, "run">, request: PublishRequest, head: string): Promise<Step<string>> {
  const from = request.forgeHead ?? request.base.sha;
  if (head === from) return { kind: "no-change", detail: `The branch "${request.branch}" has no new commit.` };
  const present = await request.mirror.git(["cat-file", "-e", `${head}^{commit}`]);
  if (!succeeded(present) || !(await isConnected(request.mirror, head))) {
    const indexed = await index(jail, request, head);
    if (indexed.kind !== "ok") return indexed;
  }
  const sound = await judgeHistory(request, head);
  if (sound !== null) return sound;
  const ref = `${laneRefs(request.lane)}/head`;
  const updated = await request.mirror.exclusively(() => request.mirror.git(["update-ref", ref, head]));
  if (!succeeded(updated)) return { kind: "push-failed", detail: `The mirror's ${ref}: ${describeFailure(updated)}` };
  return ok(head);
}

async function index(jail: Pick<JailedRunner, "run">, request: PublishRequest, head: string): Promise<Step<null>> {
  const ref = `refs/heads/${request.branch}`;
  const known = [request.base.sha, ...(request.forgeHead === null ? [] : [request.forgeHead])];
  const bundled = await jail.run(["git", "bundle", "create", "--quiet", "-", ref, "--not", ...known], {
    ...boundsOf(request),
    // The header comes on top of the pack.
    maxOutputBytes: request.maxPackBytes + 65_536,
  });
  if (bundled.end === "too-much-output") return tooLarge(request);
  if (bundled.end !== "exited") return interrupted("The branch cannot be bundled", bundled);
  if (!succeeded(bundled)) return refused(`The branch cannot be bundled: ${describeFailure(bundled)}`);
  const bundle = readBundle(bundled.stdout, ref);
  if (bundle.kind === "unreadable")
    return refused(`What came out of the checkout is not what was asked for: ${bundle.reason}.`);
  if (bundle.head !== head) return refused("The branch moved while it was taken out of the checkout.");
  if (bundle.pack.length > request.maxPackBytes) return tooLarge(request);
  const indexed = await indexPack(request.mirror, bundle.pack, request.maxPackBytes, boundsOf(request));
  if (indexed.end !== "exited") return interrupted("The branch cannot be indexed", indexed);
  if (!succeeded(indexed)) return refused(`The branch's objects are not sound: ${describeFailure(indexed)}`);
  if (!(await isConnected(request.mirror, head))) return refused("The branch names objects that were not handed in.");
  return ok(null);
}

const tooLarge = ({ maxPackBytes }: PublishRequest): Refusal =>
  refused(
    `The branch's new objects are larger than the limit of ${maxPackBytes} bytes: are there build results among them?`,
  );

/** A branch only grows: from the forge's head where it is there, else from the base's history. */
async function judgeHistory(
  { mirror, forgeHead, base, branch }: PublishRequest,
  head: string,
): Promise<Refusal | null> {
  if (forgeHead !== null) {
    const grows = await mirror.git(["merge-base", "--is-ancestor", forgeHead, head]);
    if (succeeded(grows)) return null;
    if (grows.exitCode !== 1) return interrupted(`The mirror cannot tell whether "${branch}" grew`, grows);
    return refused(
      `The new head ${head} does not contain the forge's ${forgeHead}: history of "${branch}" was rewritten.`,
    );
  }
  const shared = await mirror.git(["merge-base", base.sha, head]);
  if (!succeeded(shared) && shared.exitCode !== 1) return interrupted("The mirror cannot be read", shared);
  if (!succeeded(shared)) return refused(`"${branch}" has no history in common with "${base.branch}".`);
  const within = await mirror.git(["merge-base", "--is-ancestor", head, base.sha]);
  return succeeded(within) ? { kind: "no-change", detail: `Everything on "${branch}" is in "${base.branch}".` } : null;
}

async function push(request: PublishRequest, head: string): Promise<Step<{ alreadyThere: boolean }>> {
  const before = await headOnForge(request);
  if (before.kind !== "ok") return before;
  if (before.value === head) return ok({ alreadyThere: true });
  if (before.value !== request.forgeHead) return moved(request, before.value);
  const ref = `refs/heads/${request.branch}`;
  const pushed = await request.mirror.git(
    [
      "push",
      "--porcelain",
      "--no-verify",
      "--no-follow-tags",
      "--recurse-submodules=no",
      "--no-signed",
      `--force-with-lease=${ref}:${request.forgeHead ?? ""}`,
      request.remote.url,
      `${head}:${ref}`,
    ],
    { ...boundsOf(request), authorization: authorization(request.remote) },
  );
  if (succeeded(pushed)) return ok({ alreadyThere: false });
  // The answer may be lost although the push was carried out.
  const after = await headOnForge(request);
  if (after.kind === "ok" && after.value === head) return ok({ alreadyThere: false });
  if (after.kind === "ok" && after.value !== request.forgeHead) return moved(request, after.value);
  return { kind: "push-failed", detail: `The push to "${request.branch}" failed, ${describeFailure(pushed)}` };
}

const moved = ({ branch }: PublishRequest, to: string | null): Refusal => ({
  kind: "moved",
  detail: `"${branch}" moved on the forge while the agent worked: it is ${to ?? "gone"} now. A new run starts from there.`,
});

async function headOnForge(request: PublishRequest): Promise<Step<string | null>> {
  const ref = `refs/heads/${request.branch}`;
  const { url } = request.remote;
  const options = { ...boundsOf(request), authorization: authorization(request.remote) };
  const listed = await request.mirror.git(["ls-remote", "--quiet", url, ref], options);
  if (!succeeded(listed)) return { kind: "push-failed", detail: `${url} does not answer: ${describeFailure(listed)}` };
  const line = outputText(listed)
    .split("\n")
    .find((candidate) => candidate.endsWith(`\t${ref}`));
  return ok(line?.split("\t", 1)[0] ?? null);
}

async function workOf({ mirror, forgeHead, base }: PublishRequest, head: string): Promise<PublishedWork> {
  const from = forgeHead ?? base.sha;
  const own = [head, "--not", from, base.sha];
  const [count, subjects, stat] = await Promise.all([
    mirror.git(["rev-list", "--count", ...own]),
    mirror.git(["log", "--format=%s", "--max-count=50", ...own]),
    mirror.git(["diff", "--shortstat", "--no-ext-diff", "--no-textconv", `${from}...${head}`]),
  ]);
  const lines = outputText(subjects).split("\n");
  return {
    commits: Number(outputText(count).trim()),
    subjects: lines.filter((line) => line !== ""),
    shortstat: outputText(stat).trim(),
  };
}

function boundsOf({ timeoutMs, signal }: PublishRequest) {
  return { timeoutMs, maxOutputBytes: 1_048_576, ...(signal === undefined ? {} : { signal }) };
}
