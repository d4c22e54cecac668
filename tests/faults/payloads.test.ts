import { afterAll, beforeAll, expect, test } from "bun:test";
import { until } from "../e2e/until.ts";
import type { World } from "../e2e/world.ts";
import { openReceiver, readSamples, type Sample } from "./receiver.ts";

const milestones = "milestones are not followed";
const tags = "only pushes to branches are followed, not tags";
const made = "a new branch or tag shows in its push";
const repositories = "the making and deleting of repositories is not followed";

/** What becomes of each sample when they come in this order: the kinds of its events, or why it is of no interest. */
const expected: [sample: string, becomes: string[] | string][] = [
  // Its label is in the set that is seen for the first time, and an opened issue had none before.
  ["forgejo.issues.opened", ["issue.opened", "issue.labeled"]],
  ["forgejo.issues.edited", ["issue.edited"]],
  ["forgejo.issues.edited_body", ["issue.edited"]],
  ["forgejo.issues.closed", ["issue.closed"]],
  ["forgejo.issues.reopened", ["issue.reopened"]],
  ["forgejo.issues.assigned", ["issue.assigned"]],
  ["forgejo.issues.unassigned", ["issue.unassigned"]],
  ["forgejo.issues.label_updated", ["issue.labeled"]],
  ["forgejo.issues.label_cleared", ["issue.unlabeled", "issue.unlabeled"]],
  ["forgejo.issues.milestoned", milestones],
  ["forgejo.issues.demilestoned", milestones],
  ["forgejo.issue_comment.created", ["comment.created"]],
  ["forgejo.issue_comment.edited", ["comment.edited"]],
  ["forgejo.issue_comment.deleted", ["comment.deleted"]],
  ["forgejo.issue_comment.created_on_pull", ["comment.created"]],
  ["forgejo.pull_request.opened", ["pull_request.opened"]],
  ["forgejo.pull_request.edited", ["pull_request.edited"]],
  ["forgejo.pull_request.edited_base", ["pull_request.edited"]],
  ["forgejo.pull_request.synchronized", ["pull_request.synchronized"]],
  ["forgejo.pull_request.review_requested", ["pull_request.review_requested"]],
  ["forgejo.pull_request.review_request_removed", ["pull_request.review_request_removed"]],
  ["forgejo.pull_request.assigned", ["pull_request.assigned"]],
  ["forgejo.pull_request.label_updated", ["pull_request.labeled"]],
  ["forgejo.pull_request.closed_merged", ["pull_request.merged"]],
  ["forgejo.pull_request.closed_unmerged", ["pull_request.closed"]],
  ["forgejo.pull_request.reopened", ["pull_request.reopened"]],
  ["forgejo.pull_request_approved.reviewed", ["review.submitted"]],
  ["forgejo.pull_request_rejected.reviewed", ["review.submitted"]],
  ["forgejo.pull_request_comment.reviewed", ["review.submitted"]],
  ["forgejo.push.branch", ["push"]],
  ["forgejo.push.new_branch", ["push"]],
  ["forgejo.push.force_zero_commits", ["push"]],
  ["forgejo.push.tag", tags],
  ["forgejo.push.tag_deleted", tags],
  ["forgejo.create.branch", made],
  ["forgejo.create.tag", made],
  ["forgejo.delete.branch", "deleted branches and tags are not followed"],
  ["forgejo.release.published", "releases are not followed"],
  ["forgejo.repository.created", repositories],
  ["forgejo.repository.deleted", repositories],
  ["forgejo.action_run_failure", ["ci.completed"]],
  ["forgejo.action_run_success", ["ci.completed"]],
  ["forgejo.action_run_recover", ["ci.completed"]],
  ["forgejo.action_run_failure.cancelled", 'the run ended as "cancelled": it says nothing about the commit'],
  ["gitea.status", '"status" is no event type of Forgejo that we know'],
  ["gitea.workflow_run.completed", '"workflow_run" is no event type of Forgejo that we know'],
];

interface Outcome {
  status: number;
  answer: unknown;
  /** `normalised` or `ignored`. */
  state: string;
  reason: string | null;
  events: string[];
  undecided: number;
}

const outcomes = new Map<string, Outcome>();
let samples: Sample[] = [];
let world: World | undefined;

beforeAll(async () => {
  world = await openReceiver();
  const service = await world.start();
  samples = await readSamples();
  const byName = new Map(samples.map((sample) => [sample.name, sample]));
  for (const [name] of expected) {
    const { body, headers } = byName.get(name)!;
    const response = await fetch(world.hookUrl, { method: "POST", headers, body });
    const uuid = headers["X-Forgejo-Delivery"] ?? headers["X-Gitea-Delivery"] ?? "";
    const { deliveries, events } = await until(`the end of ${name}`, async () => {
      const told = await service.explain(uuid);
      return told.deliveries.every(({ state }) => state === "received") || told.events.some(({ decided }) => !decided)
        ? null
        : told;
    });
    outcomes.set(name, {
      status: response.status,
      answer: await response.json(),
      state: deliveries[0]?.state ?? "",
      reason: deliveries[0]?.reason ?? null,
      events: events.map(({ kind }) => kind),
      undecided: events.filter(({ decisions }) => decisions.length === 0).length,
    });
  }
}, 60_000);

afterAll(() => world?.[Symbol.asyncDispose](), 60_000);

test("the table names every sample", () => {
  expect(expected.map(([name]) => name).toSorted()).toEqual(samples.map(({ name }) => name).toSorted());
  expect(samples.length).toBeGreaterThan(45);
});

test.each(expected)("%s is accepted and becomes %j", (name, becomes) => {
  const isEvent = typeof becomes !== "string";
  expect(outcomes.get(name)).toEqual({
    status: 202,
    answer: { delivery: expect.any(String), duplicate: false },
    state: isEvent ? "normalised" : "ignored",
    reason: isEvent ? null : becomes,
    events: isEvent ? becomes : [],
    undecided: 0,
  });
});

test("none of them starts an agent: nobody in them is one", () => {
  expect(world?.model.requests()).toEqual([]);
});
