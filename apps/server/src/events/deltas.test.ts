import { describe, expect, test } from "bun:test";
import type { EventBody, Observation, Snapshot } from "../domain/event.ts";
import { deltas } from "./deltas.ts";
import { alice, at, bob, bot, comment, issue, pull, repository, subject } from "./testing/observations.ts";

/** One after the other; the events as `kind who-or-what`. */
function told(...observations: Observation[]): { events: string[]; keys: string[]; snapshot: Snapshot | null } {
  let snapshot: Snapshot | null = null;
  const events: string[] = [];
  const keys: string[] = [];
  for (const observation of observations) {
    const change = deltas(snapshot, observation);
    snapshot = change.snapshot ?? snapshot;
    for (const { semanticKey, body } of change.events) {
      if (keys.includes(semanticKey)) continue;
      keys.push(semanticKey);
      events.push(short(body));
    }
  }
  return { events, keys, snapshot };
}

function short(body: EventBody): string {
  if ("assignee" in body) return `${body.kind} ${body.assignee.login}`;
  if ("label" in body) return `${body.kind} ${body.label}`;
  if ("reviewer" in body) return `${body.kind} ${body.reviewer.login}`;
  return body.kind;
}

describe("assignees and labels", () => {
  const assigned = subject("assigned", issue({ assignees: [bot], labels: ["bug"] }));
  const opened = subject("opened", issue({ assignees: [bot], labels: ["bug"] }));
  const stale = subject("opened", issue({ labels: ["bug"] }));

  test.each([
    ["assigned before opened", [assigned, opened]],
    ["opened before assigned", [opened, assigned]],
    ["assigned before an opened that does not know of it", [assigned, stale]],
    ["an opened that does not know of it, before assigned", [stale, assigned]],
    ["everything twice", [assigned, opened, assigned, opened]],
  ])("of a new issue are told once: %s", (_, observations) => {
    const { events } = told(...observations);
    expect(events.toSorted()).toEqual(["issue.assigned dev-bot", "issue.labeled bug", "issue.opened"]);
  });

  test("of a new issue are told once each when two are assigned in one second, in any order", () => {
    const first = subject("assigned", issue({ assignees: [bot] }));
    const second = subject("assigned", issue({ assignees: [bot, bob] }));
    const open = subject("opened", issue({ assignees: [bot, bob] }));
    for (const order of [
      [first, second, open],
      [second, first, open],
      [open, first, second],
      [second, open, first],
      [first, open, second],
      [open, second, first],
    ]) {
      const { events, snapshot } = told(...order);
      expect(events.toSorted()).toEqual(["issue.assigned bob", "issue.assigned dev-bot", "issue.opened"]);
      expect(snapshot?.assignees.map(({ id }) => id).toSorted()).toEqual([bot.id, bob.id]);
    }
  });

  test("of an issue that was there before us make no events", () => {
    const { events, snapshot } = told(comment(issue({ assignees: [bot], labels: ["bug"] })));
    expect(events).toEqual(["comment.created"]);
    expect(snapshot?.untold).toEqual({ seenAt: at(0), assignees: [bot.id], labels: ["bug"] });
  });

  test("are told all the same when a comment overtook what caused them", () => {
    const observations = [
      comment(issue({ assignees: [bot], labels: ["bug"], seconds: 5 })),
      assigned,
      opened,
      assigned,
    ];
    const { events, snapshot } = told(...observations);
    expect(events).toEqual(["comment.created", "issue.assigned dev-bot", "issue.opened", "issue.labeled bug"]);
    expect(snapshot?.untold).toBeUndefined();
    expect(snapshot?.updatedAt).toBe(at(5));
  });

  test("are not told for someone who was there before a later assignment", () => {
    const later = subject("assigned", issue({ assignees: [bot, bob], seconds: 9 }));
    expect(told(comment(issue({ assignees: [bot], seconds: 5 })), later).events).toEqual([
      "comment.created",
      "issue.assigned bob",
    ]);
  });

  test("that change come from the sets, whatever the action", () => {
    const { events } = told(
      subject("opened", issue()),
      subject("labels_changed", issue({ seconds: 1, labels: ["a", "b"] })),
      subject("unassigned", issue({ seconds: 2, labels: ["b"] })),
      comment(issue({ seconds: 3, labels: ["b"], assignees: [bob] })),
      subject("unassigned", issue({ seconds: 4, labels: ["b"] })),
      subject("labels_changed", issue({ seconds: 5 })),
    );
    expect(events).toEqual([
      "issue.opened",
      "issue.labeled a",
      "issue.labeled b",
      "issue.unlabeled a",
      "comment.created",
      "issue.assigned bob",
      "issue.unassigned bob",
      "issue.unlabeled b",
    ]);
  });

  test("of a delivery that is older than the snapshot say nothing", () => {
    const now = subject("unassigned", issue({ seconds: 9, labels: ["new"] }));
    const { events, snapshot } = told(
      subject("opened", issue()),
      now,
      subject("assigned", issue({ seconds: 4, assignees: [bot] })),
      subject("labels_changed", issue({ seconds: 5, labels: ["old"] })),
    );
    expect(events).toEqual(["issue.opened", "issue.labeled new"]);
    expect(snapshot).toEqual(issue({ seconds: 9, labels: ["new"] }));
  });

  test("are not taken away by a comment of the same second that does not know of them yet", () => {
    const { events, snapshot } = told(subject("opened", issue()), assigned, comment(issue()));
    expect(events).toEqual(["issue.opened", "issue.assigned dev-bot", "comment.created"]);
    expect(snapshot?.assignees).toEqual([bot]);
  });

  test("that go and come back make an event each time", () => {
    const { events } = told(
      subject("assigned", issue({ assignees: [bot] })),
      subject("unassigned", issue({ seconds: 1 })),
      subject("assigned", issue({ seconds: 2, assignees: [bot] })),
    );
    expect(events).toEqual(["issue.assigned dev-bot", "issue.unassigned dev-bot", "issue.assigned dev-bot"]);
  });

  test("of a pull request are its own kind of event", () => {
    const observations = [subject("opened", pull()), subject("assigned", pull({ seconds: 1, assignees: [bot] }))];
    expect(told(...observations).events).toEqual(["pull_request.opened", "pull_request.assigned dev-bot"]);
  });
});

describe("what an action names", () => {
  test.each<[string, Observation, string[]]>([
    ["edited", subject("edited", issue()), ["issue.edited"]],
    ["closed", subject("closed", issue({ state: "closed" })), ["issue.closed"]],
    ["reopened", subject("reopened", issue()), ["issue.reopened"]],
    ["closed and merged", subject("closed", pull({ state: "closed", merged: true })), ["pull_request.merged"]],
    ["closed unmerged", subject("closed", pull({ state: "closed" })), ["pull_request.closed"]],
    ["synchronized", subject("synchronized", pull()), ["pull_request.synchronized"]],
    ["review_requested", subject("review_requested", pull(), bob), ["pull_request.review_requested bob"]],
    ["a review asked of a team", subject("review_requested", pull()), []],
    ["removed", subject("review_request_removed", pull(), bob), ["pull_request.review_request_removed bob"]],
    ["seen", subject("seen", issue()), []],
    ["deleted comment", comment(issue(), {}, "deleted"), ["comment.deleted"]],
  ])("%s is the event", (_, observation, events) => {
    expect(told(observation).events).toEqual(events);
  });

  const known: [Observation, string][] = [
    [subject("opened", issue()), "issue:12:opened"],
    [subject("closed", issue({ seconds: 3 })), `issue:12:closed:${at(3)}`],
    [subject("closed", pull({ merged: true })), "pull:13:merged"],
    [subject("assigned", issue({ assignees: [bot] })), `issue:12:assigned:4:${at(0)}`],
    [subject("opened", issue({ labels: ["bug"] })), `issue:12:labeled:bug:${at(0)}`],
    [subject("synchronized", pull({ headSha: "c".repeat(40) })), `pull:13:synchronized:${"c".repeat(40)}`],
    [subject("review_requested", pull(), bob), `pull:13:review_requested:5:${at(0)}`],
    [comment(issue()), "comment:501:created"],
    [comment(issue(), {}, "deleted"), "comment:501:deleted"],
    [{ repository, actor: bot, kind: "push", branch: "dev/12", before: "0", after: "a" }, "push:dev/12:0:a"],
    [
      {
        repository,
        actor: bot,
        kind: "ci",
        outcome: "failure",
        runId: 71,
        headSha: "c",
        branch: "dev/12",
        name: "ci",
        finishedAt: at(9),
      },
      `ci:71:failure:${at(9)}`,
    ],
  ];
  test.each(known)("has a key of its own: %#", (observation, key) => {
    expect(told(observation).keys).toContain(`home/7/${key}`);
  });

  test("twice in one second is told twice where the content differs", () => {
    const review = (body: string): Observation => ({
      repository,
      actor: alice,
      kind: "review",
      verdict: "changes_requested",
      subject: pull(),
      body,
    });
    expect(told(review("a"), review("b"), review("a")).events).toHaveLength(2);
    const edits = ["a", "b", "a"].map((body) => subject("edited", issue({ body })));
    expect(told(...edits).events).toHaveLength(2);
    const comments = ["a", "b", "a"].map((body) => comment(issue(), { body }, "edited"));
    expect(told(...comments).events).toHaveLength(2);
  });

  test("late is told, and does not move the snapshot back", () => {
    const closed = subject("closed", issue({ seconds: 3, state: "closed" }));
    const { events, snapshot } = told(subject("reopened", issue({ seconds: 8 })), closed);
    expect(events).toEqual(["issue.reopened", "issue.closed"]);
    expect(snapshot).toMatchObject({ state: "open", updatedAt: at(8) });
  });

  test("of an issue's JSON keeps the branches of a pull request that are known", () => {
    const { snapshot } = told(subject("opened", pull()), comment(pull({ seconds: 4, pull: null, issueId: 113 })));
    expect(snapshot).toEqual(pull({ seconds: 4 }));
  });
});
