import { join } from "node:path";
import { RunList } from "@claude-hooks/api";
import type { ApiCommit, ApiPullRequest } from "@claude-hooks/forge-sim";
import { cast } from "./cast.ts";
import type { Findings } from "./checks.ts";
import { testHead } from "./project-tests.ts";
import { receiptMark } from "./run.ts";
import type { Stage } from "./stage.ts";

/** Looks once more at everything, from the outside. */
export async function find(stage: Stage, number: number): Promise<Findings> {
  const { world, api } = stage;
  const { runs } = await api.get("/runs?limit=50", RunList);
  const pulls = world.forge.pullRequests(cast.full);
  const [pull] = pulls;
  const subjects = [...world.forge.issues(cast.full), ...pulls];
  return {
    live: world.model === undefined,
    pulls,
    tests:
      pull === undefined
        ? { passed: false, detail: "there is no pull request" }
        : await testHead(pull.head.repo.clone_url, pull.head.ref, pull.head.sha, join(world.folder, "head")),
    runs: runs.filter(({ thread }) => thread === `${cast.full}#${number}`).toReversed(),
    receipts: subjects
      .flatMap((subject) => world.forge.comments(cast.full, subject.number))
      .filter(({ body }) => body.includes(receiptMark)).length,
    commits: pull === undefined ? 0 : await commitsOf(stage, pull),
    unexpected: (world.model?.unexpected() ?? []).map(({ why }) => why ?? "a request that nobody expects"),
  };
}

async function commitsOf({ world }: Stage, pull: ApiPullRequest): Promise<number> {
  const path = `/repos/${cast.full}/pulls/${pull.number}/commits?limit=50`;
  return (await world.forge.as(cast.person).request<ApiCommit[]>("GET", path)).length;
}
