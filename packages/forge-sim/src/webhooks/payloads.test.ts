import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Delivery, Forge } from "../index.ts";
import { Clone } from "../testing/git.ts";
import { Receiver } from "../testing/receiver.ts";
import { everyEvent, startScene, widgets } from "../testing/scene.ts";

const folder = join(import.meta.dir, "../../fixtures/payloads");

interface Index {
  samples: Record<string, { file: string; event: string; event_type: string; headers: Record<string, string> }>;
}

interface Payload {
  changes?: { title?: object; body?: object; ref?: object };
  ref?: string;
  before?: string;
  after?: string;
  ref_type?: string;
  total_commits?: number;
}

/** Which of our deliveries stands beside which sample. */
const pairs: Record<string, (delivery: Delivery, payload: Payload) => boolean> = {
  "forgejo.issues.opened": (d) => is(d, "issues", "opened"),
  "forgejo.issues.edited": (d, p) => is(d, "issues", "edited") && p.changes?.title !== undefined,
  "forgejo.issues.edited_body": (d, p) => is(d, "issues", "edited") && p.changes?.body !== undefined,
  "forgejo.issues.closed": (d) => is(d, "issues", "closed"),
  "forgejo.issues.reopened": (d) => is(d, "issues", "reopened"),
  "forgejo.issues.assigned": (d) => is(d, "issue_assign", "assigned"),
  "forgejo.issues.unassigned": (d) => is(d, "issue_assign", "unassigned"),
  "forgejo.issues.label_updated": (d) => is(d, "issue_label", "label_updated"),
  "forgejo.issues.label_cleared": (d) => is(d, "issue_label", "label_cleared"),
  "forgejo.issue_comment.created": (d) => is(d, "issue_comment", "created"),
  "forgejo.issue_comment.edited": (d) => is(d, "issue_comment", "edited"),
  "forgejo.issue_comment.deleted": (d) => is(d, "issue_comment", "deleted"),
  "forgejo.issue_comment.created_on_pull": (d) => is(d, "pull_request_comment", "created"),
  "forgejo.pull_request.opened": (d) => is(d, "pull_request", "opened"),
  "forgejo.pull_request.edited": (d, p) => is(d, "pull_request", "edited") && p.changes?.title !== undefined,
  "forgejo.pull_request.edited_base": (d, p) => is(d, "pull_request", "edited") && p.changes?.ref !== undefined,
  "forgejo.pull_request.synchronized": (d) => is(d, "pull_request_sync", "synchronized"),
  "forgejo.pull_request.closed_unmerged": (d) => is(d, "pull_request", "closed"),
  "forgejo.pull_request.reopened": (d) => is(d, "pull_request", "reopened"),
  "forgejo.pull_request.assigned": (d) => is(d, "pull_request_assign", "assigned"),
  "forgejo.pull_request.label_updated": (d) => is(d, "pull_request_label", "label_updated"),
  "forgejo.pull_request_approved.reviewed": (d) => is(d, "pull_request_review_approved", "reviewed"),
  "forgejo.pull_request_rejected.reviewed": (d) => is(d, "pull_request_review_rejected", "reviewed"),
  "forgejo.pull_request_comment.reviewed": (d) => is(d, "pull_request_review_comment", "reviewed"),
  "forgejo.push.branch": (d, p) => d.eventType === "push" && p.ref === "refs/heads/agent/1" && !isZero(p.before),
  "forgejo.push.new_branch": (d, p) =>
    d.eventType === "push" && p.ref?.startsWith("refs/heads/") === true && isZero(p.before),
  "forgejo.push.force_zero_commits": (d, p) =>
    d.eventType === "push" && p.ref === "refs/heads/moved" && p.total_commits === 0,
  "forgejo.push.tag": (d, p) => d.eventType === "push" && p.ref === "refs/tags/v1.0.0" && isZero(p.before),
  "forgejo.push.tag_deleted": (d, p) => d.eventType === "push" && p.ref === "refs/tags/v1.0.0" && isZero(p.after),
  "forgejo.create.tag": (d, p) => d.eventType === "create" && p.ref_type === "tag",
  "forgejo.create.branch": (d, p) => d.eventType === "create" && p.ref_type === "branch",
  "forgejo.delete.branch": (d) => d.eventType === "delete",
};

const is = (delivery: Delivery, eventType: string, action: string) =>
  delivery.eventType === eventType && delivery.action === action;

const jsonType = (value: unknown) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);

/** Every place where ours has another key or another JSON type than the sample; lists are compared where both have one. */
function differences(ours: unknown, sample: unknown, path = "$"): string[] {
  const [mine, theirs] = [jsonType(ours), jsonType(sample)];
  if (mine !== theirs) return [`${path}: ${mine}, the sample has ${theirs}`];
  if (Array.isArray(ours) && Array.isArray(sample)) {
    return ours.length > 0 && sample.length > 0 ? differences(ours[0], sample[0], `${path}[0]`) : [];
  }
  if (!isObject(ours) || !isObject(sample)) return [];
  const keys = JSON.stringify(Object.keys(ours));
  const expected = JSON.stringify(Object.keys(sample));
  const wrongKeys = keys === expected ? [] : [`${path}: keys ${keys}, the sample has ${expected}`];
  const shared = Object.keys(sample).filter((key) => key in ours);
  return [...wrongKeys, ...shared.flatMap((key) => differences(ours[key], sample[key], `${path}.${key}`))];
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const isZero = (sha: string | undefined) => /^0+$/.test(sha ?? "");

async function playEverything(): Promise<Delivery[]> {
  using receiver = new Receiver();
  await using forge = await startScene();
  const [alice, bot] = [forge.as("alice"), forge.as("bot")];
  await alice.createHook({ ...widgets, url: receiver.url, secret: "s", events: everyEvent });
  const issue = { ...widgets, number: (await alice.createIssue({ ...widgets, title: "a", body: "b" })).number };
  await alice.editIssue({ ...issue, title: "c" });
  await alice.editIssue({ ...issue, body: "d" });
  await alice.setLabels({ ...issue, labels: ["bug", "agent/ready"] });
  await alice.assign({ ...issue, assignees: ["bot"] });
  await alice.assign({ ...issue, assignees: [] });
  await alice.clearLabels(issue);
  await alice.closeIssue(issue);
  await alice.reopenIssue(issue);
  const { id } = await bot.comment({ ...issue, body: "one" });
  await bot.editComment({ ...widgets, id, body: "two" });
  await bot.deleteComment({ ...widgets, id });
  await alice.createBranch({ ...widgets, name: "develop" });
  await bot.push({ ...widgets, branch: "agent/1", message: "one", files: { "src/name.ts": "export const a = 2;\n" } });
  const opened = await bot.createPull({ ...widgets, head: "agent/1", base: "main", title: "p", body: "q" });
  const pull = { ...widgets, number: opened.number };
  await bot.push({ ...widgets, branch: "agent/1", message: "two", files: { "b.txt": "b\n" } });
  await bot.editIssue({ ...pull, title: "WIP: p" });
  await bot.request("PATCH", `/repos/acme/widgets/pulls/${pull.number}`, { base: "develop" });
  await alice.comment({ ...pull, body: "rename it" });
  const comments = [{ path: "src/name.ts", body: "why 2?", new_position: 1 }];
  await alice.review({ ...pull, event: "REQUEST_CHANGES", body: "nearly", comments });
  await alice.review({ ...pull, event: "COMMENT", comments });
  await alice.review({ ...pull, event: "APPROVED" });
  await alice.setLabels({ ...pull, labels: ["bug"] });
  await alice.assign({ ...pull, assignees: ["alice"] });
  await alice.assign({ ...pull, assignees: [] });
  await alice.closeIssue(pull);
  await alice.reopenIssue(pull);
  await alice.deleteBranch({ ...widgets, name: "agent/1" });
  await pushTagAndBack(forge);
  await forge.settled();
  return [...forge.deliveries()];
}

async function pushTagAndBack(forge: Forge): Promise<void> {
  await using clone = await Clone.of(forge, forge.as("alice").token);
  await clone.commit({ "c.txt": "c" });
  await clone.git("push", "--quiet", "origin", "HEAD:refs/heads/moved");
  await clone.git("push", "--quiet", "--force", "origin", "HEAD~1:refs/heads/moved");
  await clone.git("push", "--quiet", "origin", "HEAD~1:refs/tags/v1.0.0");
  await clone.git("push", "--quiet", "origin", ":refs/tags/v1.0.0");
}

describe("a webhook has every field of Forgejo's, in the same order and of the same type", () => {
  let deliveries: Delivery[] = [];
  let index: Index;

  beforeAll(async () => {
    deliveries = await playEverything();
    index = await Bun.file(join(folder, "_index.json")).json();
  });

  for (const [name, matches] of Object.entries(pairs)) {
    test(name, async () => {
      const sample = index.samples[name]!;
      const found = deliveries.find((one) => matches(one, JSON.parse(new TextDecoder().decode(one.body))));
      expect(found?.state).toBe("delivered");
      expect(
        differences(
          JSON.parse(new TextDecoder().decode(found!.body)),
          await Bun.file(join(folder, sample.file)).json(),
        ),
      ).toEqual([]);
      expect([found!.event, found!.eventType as string]).toEqual([sample.event, sample.event_type]);
      expect(Object.keys(found!.headers).toSorted()).toEqual(Object.keys(sample.headers).toSorted());
    });
  }

  test("the comparison notices a missing key, a type and an element of a list", () => {
    expect(differences({ a: 1, b: [{ c: null }] }, { a: "1", b: [{ c: {} }], d: 1 })).toEqual([
      '$: keys ["a","b"], the sample has ["a","b","d"]',
      "$.a: number, the sample has string",
      "$.b[0].c: null, the sample has object",
    ]);
  });
});
