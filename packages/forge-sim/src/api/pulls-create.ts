import { z } from "zod";
import { toPull } from "../convert/pull.ts";
import { branchRef } from "../git/refs.ts";
import { git } from "../git/run.ts";
import { compareBranches } from "../pushes.ts";
import type { PullIssue, RepoRecord } from "../state/records.ts";
import { isPull } from "../webhooks/send.ts";
import { checkAssignees, startingAssignees } from "./assign.ts";
import { type ApiContext, ApiError, notArchived, notFound, readBody, requiredText, signedIn } from "./base.ts";
import { announce } from "./issues.ts";

const CreatePull = z.object({
  title: requiredText,
  head: requiredText,
  base: requiredText,
  body: z.string().nullish(),
  assignee: z.string().nullish(),
  assignees: z.array(z.string()).nullish(),
  labels: z.array(z.number()).nullish(),
});

/** The open pull request between two branches, of which there is at most one. */
export function unmergedPull(repo: RepoRecord, base: string, head: string): PullIssue | undefined {
  return [...repo.issues.values()]
    .filter(isPull)
    .find(({ state, pull }) => state === "open" && pull.baseBranch === base && pull.headBranch === head);
}

export function alreadyExists(repo: RepoRecord, { number, pull }: PullIssue): ApiError {
  const ids = `id: ${pull.id}, issue_id: ${number}, head_repo_id: ${repo.id}, base_repo_id: ${repo.id}`;
  const branches = `head_branch: ${pull.headBranch}, base_branch: ${pull.baseBranch}`;
  return new ApiError(409, `pull request already exists for these targets [${ids}, ${branches}]`);
}

export async function createPull(c: ApiContext): Promise<Response> {
  const doer = signedIn(c);
  notArchived(c);
  const body = await readBody(c, CreatePull);
  const { world, repo } = c.var;
  if (body.head === body.base) {
    throw new ApiError(422, "Invalid PullRequest: There are no changes between the head and the base");
  }
  const assignees = startingAssignees(c, body);
  return world.locked(repo.id, async () => {
    const head = headBranch(repo, body.head);
    const headSha = branchSha(repo, head, "head");
    branchSha(repo, body.base, "base");
    const twin = unmergedPull(repo, body.base, head);
    if (twin) throw alreadyExists(repo, twin);
    checkAssignees(c, assignees);
    const comparison = await compareBranches(repo, { headSha, baseBranch: body.base });
    const at = world.store.now();
    const issue: PullIssue = {
      id: world.store.nextId("issue"),
      number: repo.issues.size + 1,
      repoId: repo.id,
      posterId: doer.id,
      title: body.title,
      body: body.body ?? "",
      state: "open",
      labels: [...new Set(body.labels ?? [])].filter((id) => repo.labels.has(id)),
      assignees: [],
      createdAt: at,
      updatedAt: at,
      closedAt: undefined,
      reactions: [],
      comments: new Map(),
      pull: {
        id: world.store.nextId("pull"),
        headBranch: head,
        baseBranch: body.base,
        headSha,
        ...comparison,
        mergeable: undefined,
        reviews: new Map(),
      },
    };
    // Taken before the next wait, so that an issue made meanwhile gets another number.
    repo.issues.set(issue.number, issue);
    await git(repo.dir, ["update-ref", `refs/pull/${issue.number}/head`, headSha]);
    world.mergeChecks.schedule(repo, issue);
    announce(
      c,
      issue,
      assignees.map((user) => user.id),
    );
    return c.json(toPull(world, issue, doer), 201);
  });
}

/** `branch`, or `owner:branch` of this very repository: forks are not simulated. */
function headBranch(repo: RepoRecord, head: string): string {
  const [owner, branch] = head.split(":");
  if (branch === undefined) return head;
  if (owner?.toLowerCase() === repo.owner.toLowerCase()) return branch;
  const here = `${repo.owner}/${repo.name}`;
  throw notFound(`${owner} does not have a fork of ${here} and ${here} is not a fork of a repository from ${owner}`);
}

function branchSha(repo: RepoRecord, branch: string, side: "base" | "head"): string {
  const sha = repo.refs.get(branchRef(branch));
  if (sha) return sha;
  const where = `${side} repository ${repo.owner}/${repo.name}`;
  throw notFound(`could not find '${branch}' to be a commit, branch or tag in the ${where}`);
}
