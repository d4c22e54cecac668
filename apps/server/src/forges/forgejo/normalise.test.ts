import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Observation } from "../../domain/event.ts";
import type { ForgeId } from "../../domain/ids.ts";
import { forges } from "../registry.ts";

const folder = join(import.meta.dir, "../../../../../packages/forge-sim/fixtures/payloads");
const Index = z.object({
  samples: z.record(z.string(), z.object({ file: z.string(), headers: z.record(z.string(), z.string()) })),
});
const { samples } = Index.parse(JSON.parse(readFileSync(join(folder, "_index.json"), "utf8")));

const forge = "home" as ForgeId;

type Json = Record<string, unknown>;

/** The payload with the values at these paths (`issue.user`) put in place of its own; undefined takes one away. */
function changed(payload: Json, changes: Json): Json {
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split(".");
    const last = keys.pop() ?? "";
    const parent = keys.reduce((at, key) => at[key] as Json, payload);
    parent[last] = value;
  }
  return payload;
}

/** `changes` as {@link changed} takes them. */
function normalised(name: string, changes: Json = {}) {
  const sample = samples[name];
  if (sample === undefined) throw new Error(`no sample ${name}`);
  const headers = new Headers(sample.headers);
  const first = (names: readonly string[]) =>
    names.map((header) => headers.get(header)).find((value) => value !== null) ?? "";
  const payload = changed(JSON.parse(readFileSync(join(folder, sample.file), "utf8")) as Json, changes);
  const { event, eventType } = forges.forgejo.headers;
  const result = forges.forgejo.normalise({ forge, event: first(event), eventType: first(eventType), payload });
  return { result, payload };
}

/** What a sample says in one line: enough to see that it is what its name promises. */
function said(observation: Observation): string {
  const of = (o: Extract<Observation, { subject: unknown }>) =>
    `${o.subject.kind} ${o.subject.number} by ${o.actor.login}`;
  switch (observation.kind) {
    case "subject": {
      const { subject } = observation;
      const sets = `labels=${subject.labels.join()} assignees=${subject.assignees.map(({ login }) => login).join()}`;
      const merged = subject.pull?.merged === true ? " merged" : "";
      const reviewer = observation.reviewer === null ? "" : ` reviewer=${observation.reviewer.login}`;
      return `${observation.action}: ${of(observation)} ${subject.state}${merged} ${sets}${reviewer}`;
    }
    case "comment":
      return `comment ${observation.action}: ${of(observation)} #${observation.comment.id} "${observation.comment.body}"`;
    case "review":
      return `review ${observation.verdict}: ${of(observation)} "${observation.body}"`;
    case "push":
      return `push: ${observation.branch} ${observation.before.slice(0, 6)}..${observation.after.slice(0, 6)} by ${observation.actor.login}`;
    case "ci":
      return `ci ${observation.outcome}: run ${observation.runId} ${observation.branch} ${observation.headSha.slice(0, 6)} by ${observation.actor.login}`;
    default:
      return observation satisfies never;
  }
}

const table: Record<string, string> = {
  "forgejo.issues.opened": "opened: issue 12 by alice open labels=bug assignees=",
  "forgejo.issues.edited": "edited: issue 12 by alice open labels= assignees=",
  "forgejo.issues.edited_body": "edited: issue 12 by alice open labels= assignees=",
  "forgejo.issues.closed": "closed: issue 12 by alice closed labels= assignees=",
  "forgejo.issues.reopened": "reopened: issue 12 by alice open labels= assignees=",
  "forgejo.issues.assigned": "assigned: issue 12 by alice open labels=bug assignees=agent-bot",
  "forgejo.issues.unassigned": "unassigned: issue 12 by alice open labels=bug assignees=",
  "forgejo.issues.label_updated": "labels_changed: issue 12 by alice open labels=agent/ready,bug assignees=",
  "forgejo.issues.label_cleared": "labels_changed: issue 12 by alice open labels= assignees=",
  "forgejo.issues.milestoned": "no interest: milestones are not followed",
  "forgejo.issues.demilestoned": "no interest: milestones are not followed",
  "forgejo.issue_comment.created": 'comment created: issue 12 by alice #501 "@agent-bot /plan please, see <a> & b"',
  "forgejo.issue_comment.edited": 'comment edited: issue 12 by alice #501 "@agent-bot /plan v2"',
  "forgejo.issue_comment.deleted": 'comment deleted: issue 12 by alice #501 "@agent-bot /plan v2"',
  "forgejo.issue_comment.created_on_pull":
    'comment created: pull_request 13 by alice #502 "@agent-bot rename the helper"',
  "forgejo.pull_request.opened": "opened: pull_request 13 by agent-bot open labels= assignees=",
  "forgejo.pull_request.edited": "edited: pull_request 13 by agent-bot open labels= assignees=",
  "forgejo.pull_request.edited_base": "edited: pull_request 13 by agent-bot open labels= assignees=",
  "forgejo.pull_request.synchronized": "synchronized: pull_request 13 by agent-bot open labels= assignees=",
  "forgejo.pull_request.review_requested":
    "review_requested: pull_request 13 by agent-bot open labels= assignees= reviewer=alice",
  "forgejo.pull_request.review_request_removed":
    "review_request_removed: pull_request 13 by agent-bot open labels= assignees= reviewer=alice",
  "forgejo.pull_request.assigned": "assigned: pull_request 13 by alice open labels= assignees=bob",
  "forgejo.pull_request.label_updated": "labels_changed: pull_request 13 by alice open labels=agent/ready assignees=",
  "forgejo.pull_request.closed_merged": "closed: pull_request 13 by alice closed merged labels= assignees=",
  "forgejo.pull_request.closed_unmerged": "closed: pull_request 13 by alice closed labels= assignees=",
  "forgejo.pull_request.reopened": "reopened: pull_request 13 by alice open labels= assignees=",
  "forgejo.pull_request_approved.reviewed": 'review approved: pull_request 13 by alice "LGTM"',
  "forgejo.pull_request_rejected.reviewed": 'review changes_requested: pull_request 13 by alice "Please add a test"',
  "forgejo.pull_request_comment.reviewed": 'review commented: pull_request 13 by alice ""',
  "forgejo.push.branch": "push: agent/issue-12 9b8a7c..c0ffee by agent-bot",
  "forgejo.push.new_branch": "push: agent/issue-12 000000..9b8a7c by agent-bot",
  "forgejo.push.force_zero_commits": "push: agent/issue-12 c0ffee..9b8a7c by agent-bot",
  "forgejo.push.tag": "no interest: only pushes to branches are followed, not tags",
  "forgejo.push.tag_deleted": "no interest: only pushes to branches are followed, not tags",
  "forgejo.create.branch": "no interest: a new branch or tag shows in its push",
  "forgejo.create.tag": "no interest: a new branch or tag shows in its push",
  "forgejo.delete.branch": "no interest: deleted branches and tags are not followed",
  "forgejo.release.published": "no interest: releases are not followed",
  "forgejo.repository.created": "no interest: the making and deleting of repositories is not followed",
  "forgejo.repository.deleted": "no interest: the making and deleting of repositories is not followed",
  "forgejo.action_run_failure": "ci failure: run 71 agent/issue-12 c0ffee by agent-bot",
  "forgejo.action_run_success": "ci success: run 70 agent/issue-12 9b8a7c by agent-bot",
  "forgejo.action_run_recover": "ci success: run 72 agent/issue-12 c0ffee by agent-bot",
  "forgejo.action_run_failure.cancelled": 'no interest: the run ended as "cancelled": it says nothing about the commit',
  "gitea.status": 'no interest: "status" is no event type of Forgejo that we know',
  "gitea.workflow_run.completed": 'no interest: "workflow_run" is no event type of Forgejo that we know',
};

describe("a Forgejo delivery", () => {
  test("has a row in the table for each of the 46 samples", () => {
    expect(Object.keys(table).toSorted()).toEqual(Object.keys(samples).toSorted());
    expect(Object.keys(samples)).toHaveLength(46);
    expect(readdirSync(folder).filter((file) => !file.startsWith("_"))).toHaveLength(46);
  });

  for (const [name, expected] of Object.entries(table)) {
    test(`${name} normalises to ${expected}`, () => {
      const { result } = normalised(name);
      const got =
        result.kind === "observation"
          ? said(result.observation)
          : `${result.kind === "no-interest" ? "no interest" : result.kind}: ${result.reason}`;
      expect(got).toBe(expected);
      if (result.kind === "observation")
        expect(result.observation.repository).toEqual({ forge, id: 7, name: "acme/widgets" });
    });
  }

  test("names its repository at the top or in its run", () => {
    for (const name of Object.keys(samples))
      expect(forges.forgejo.payloadRepositoryIds(normalised(name).payload)).toEqual([7]);
    expect(forges.forgejo.payloadRepositoryIds({ repository: { id: 7 }, run: { repository: { id: 8 } } })).toEqual([
      7, 8,
    ]);
    expect(forges.forgejo.payloadRepositoryIds([])).toEqual([]);
  });

  test("of an issue becomes a snapshot with times in milliseconds", () => {
    const { result } = normalised("forgejo.issues.assigned");
    expect(result).toMatchObject({
      observation: {
        subject: {
          issueId: 112,
          author: { id: 3, login: "alice" },
          createdAt: Date.UTC(2026, 6, 1, 10, 0, 0),
          updatedAt: Date.UTC(2026, 6, 1, 10, 5, 0),
          pull: null,
        },
      },
    });
  });

  test("of a pull request's comment carries the pull request's head, not only the issue", () => {
    const { result } = normalised("forgejo.issue_comment.created_on_pull");
    expect(result).toMatchObject({
      observation: {
        subject: { issueId: 31, pull: { headBranch: "agent/issue-12", baseBranch: "main", merged: false } },
      },
    });
  });

  test("names the branch of a pull request whose branch was deleted", () => {
    const { result } = normalised("forgejo.pull_request.closed_merged", {
      "pull_request.head.ref": "refs/pull/13/head",
    });
    expect(result).toMatchObject({ observation: { subject: { pull: { headBranch: "agent/issue-12" } } } });
  });

  test("never takes a fork's branch for one of the repository's own", () => {
    const { result } = normalised("forgejo.pull_request.opened", {
      "pull_request.head.repo_id": 99,
      "pull_request.head.repo.owner.login": "mallory",
    });
    expect(result).toMatchObject({ observation: { subject: { pull: { headBranch: "mallory:agent/issue-12" } } } });
  });

  test("reads a user who is gone as Forgejo's Ghost", () => {
    const { result } = normalised("forgejo.issues.opened", { "issue.user": null });
    expect(result).toMatchObject({ observation: { subject: { author: { id: -1, login: "Ghost" } } } });
  });

  test("with an action that is new to us is of no interest, and says which", () => {
    const { result } = normalised("forgejo.issues.opened", { action: "transferred" });
    expect(result).toEqual({ kind: "no-interest", reason: 'its action "transferred" is not followed' });
  });

  test("that deletes a branch by a push is of no interest", () => {
    const { result } = normalised("forgejo.push.branch", { after: "0".repeat(40) });
    expect(result).toEqual({ kind: "no-interest", reason: "deleted branches and tags are not followed" });
  });

  test("without what its event type promises is unreadable, and says where", () => {
    const { result } = normalised("forgejo.issues.opened", { "issue.number": "twelve", repository: undefined });
    expect(result).toMatchObject({ kind: "unreadable" });
    expect((result as { reason: string }).reason).toContain("repository:");
    expect((result as { reason: string }).reason).toContain("issue.number:");
  });

  test("with an event type named like a property of every object is only unknown", () => {
    for (const eventType of ["constructor", "__proto__", "toString"])
      expect(forges.forgejo.normalise({ forge, event: "x", eventType, payload: {} })).toMatchObject({
        kind: "no-interest",
      });
  });
});
