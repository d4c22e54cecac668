import fc from "fast-check";
import type { Actor, CommentRef, EventBody, EventKind, ForgeEvent, Snapshot } from "../../domain/event.ts";
import type { MatchFacts } from "../../domain/flow.ts";
import type { EventId, ForgeId, ThreadId } from "../../domain/ids.ts";
import { eventKinds } from "../contexts.ts";

export const alice: Actor = { id: 1, login: "alice" };
export const devBot: Actor = { id: 2, login: "dev-bot" };

export function snapshot(change: Partial<Snapshot> = {}): Snapshot {
  return {
    kind: "issue",
    issueId: 70,
    number: 7,
    title: "Crash on start",
    body: "It crashes.",
    author: alice,
    state: "open",
    labels: [],
    assignees: [],
    pull: null,
    createdAt: 1_000,
    updatedAt: 2_000,
    ...change,
  };
}

export function comment(change: Partial<CommentRef> = {}): CommentRef {
  const url = "https://forge.test/acme/widgets/issues/7#issuecomment-5";
  return { id: 5, body: "please", author: alice, url, createdAt: 3_000, updatedAt: 3_000, ...change };
}

type Head = Omit<ForgeEvent, keyof EventBody>;

const head: Head = {
  id: "0190-1" as EventId,
  semanticKey: "key",
  repository: { forge: "main" as ForgeId, id: 1, name: "acme/widgets" },
  thread: "thread-1" as ThreadId,
  actor: alice,
  receivedAt: 4_000,
  delivery: null,
};

export const event = (body: EventBody, change: Partial<Head> = {}): ForgeEvent => ({ ...head, ...change, ...body });

/** An event of a kind, with texts that a test chooses: everything in it that people write is `text`. */
export function eventOfKind(kind: EventKind, text = "text"): ForgeEvent {
  const subject = snapshot({ title: text, body: text, labels: [text] });
  switch (kind) {
    case "issue.assigned":
    case "issue.unassigned":
    case "pull_request.assigned":
    case "pull_request.unassigned":
      return event({ kind, subject, assignee: devBot });
    case "issue.labeled":
    case "issue.unlabeled":
    case "pull_request.labeled":
    case "pull_request.unlabeled":
      return event({ kind, subject, label: text });
    case "pull_request.review_requested":
    case "pull_request.review_request_removed":
      return event({ kind, subject, reviewer: devBot });
    case "comment.created":
    case "comment.edited":
    case "comment.deleted":
      return event({ kind, subject, comment: comment({ body: text }) });
    case "review.submitted":
      return event({ kind, subject, verdict: "commented", body: text });
    case "push":
      return event({ kind, branch: text, before: "a", after: "b" }, { thread: null });
    case "ci.completed":
      return event({ kind, outcome: "failure", runId: 1, headSha: "a", branch: text, name: text }, { thread: null });
    case "issue.opened":
    case "issue.edited":
    case "issue.closed":
    case "issue.reopened":
    case "pull_request.opened":
    case "pull_request.edited":
    case "pull_request.closed":
    case "pull_request.merged":
    case "pull_request.reopened":
    case "pull_request.synchronized":
      return event({ kind, subject });
    default:
      return kind satisfies never;
  }
}

export function facts(change: Partial<MatchFacts> = {}): MatchFacts {
  return {
    actorPermission: "write",
    permissionError: null,
    actorIsOurs: false,
    mentionedAgents: [],
    assignedAgent: null,
    involvedAgents: [],
    thread: { number: 7, kind: "issue", state: "open", labels: [] },
    ...change,
  };
}

/** Texts as people and attackers write them. */
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("${{ event.title }}", "${{ fromJSON('x') }}", "{{ title }}", "{% if x %}", "dev", "__proto__", "''"),
);

export const anyEvent: fc.Arbitrary<ForgeEvent> = fc
  .tuple(fc.constantFrom(...eventKinds), anyText)
  .map(([kind, text]) => eventOfKind(kind, text));

const names = fc.array(fc.oneof(fc.constantFrom("dev", "reviewer"), anyText), { maxLength: 3 });

export const anyFacts: fc.Arbitrary<MatchFacts> = fc.record({
  actorPermission: fc.constantFrom("none", "read", "write", "admin", null),
  permissionError: fc.option(anyText),
  actorIsOurs: fc.boolean(),
  mentionedAgents: names,
  assignedAgent: fc.option(fc.oneof(fc.constantFrom("dev", "reviewer"), anyText)),
  involvedAgents: names,
  thread: fc.option(
    fc.record({
      number: fc.nat(),
      kind: fc.constantFrom("issue", "pull_request"),
      state: fc.constantFrom("open", "closed"),
      labels: names,
    }),
  ),
});
