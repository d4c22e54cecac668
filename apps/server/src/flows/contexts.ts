import type { EventKind, ForgeEvent } from "../domain/event.ts";
import type { MatchFacts } from "../domain/flow.ts";
import { type ContextValue, listOf, number, type ObjectType, object, oneOf, text, type ValueType } from "./types.ts";

/** A group of properties that events of some kinds have; `values` gives exactly the properties that `types` names. */
interface Part {
  types: ObjectType;
  values(event: ForgeEvent): Record<string, ContextValue>;
}

const parts = {
  subject: {
    types: { number, title: text, body: text, author: object({ login: text }), assignees: listOf(text) },
    values: (event) => {
      if (!("subject" in event)) return {};
      const { number: subjectNumber, title, author, assignees } = event.subject;
      return {
        number: subjectNumber,
        title,
        body: event.subject.body,
        author: { login: author.login },
        assignees: assignees.map(({ login }) => login),
      };
    },
  },
  assignee: {
    types: { assignee: object({ login: text }) },
    values: (event) => ("assignee" in event ? { assignee: { login: event.assignee.login } } : {}),
  },
  label: {
    types: { label: text },
    values: (event) => ("label" in event ? { label: event.label } : {}),
  },
  reviewer: {
    types: { reviewer: object({ login: text }) },
    values: (event) => ("reviewer" in event ? { reviewer: { login: event.reviewer.login } } : {}),
  },
  comment: {
    types: { comment: object({ id: number, body: text, url: text, author: object({ login: text }) }) },
    values: (event) => {
      if (!("comment" in event)) return {};
      const { id, body, url, author } = event.comment;
      return { comment: { id, body, url, author: { login: author.login } } };
    },
  },
  review: {
    types: { review: object({ verdict: oneOf("approved", "changes_requested", "commented"), body: text }) },
    values: (event) =>
      event.kind === "review.submitted" ? { review: { verdict: event.verdict, body: event.body } } : {},
  },
  push: {
    types: { branch: text, before: text, after: text },
    values: (event) =>
      event.kind === "push" ? { branch: event.branch, before: event.before, after: event.after } : {},
  },
  ci: {
    types: { name: text, outcome: oneOf("success", "failure"), run_id: number, head_sha: text, branch: text },
    values: (event) => {
      if (event.kind !== "ci.completed") return {};
      const { name, outcome, runId, headSha, branch } = event;
      return { name, outcome, run_id: runId, head_sha: headSha, branch };
    },
  },
} satisfies Record<string, Part>;

type PartName = keyof typeof parts;

interface Shape {
  parts: readonly PartName[];
  /** The event brings a text of its own, in which somebody can be mentioned. */
  speaks?: true;
}

const shapes = {
  "issue.opened": { parts: ["subject"], speaks: true },
  "issue.edited": { parts: ["subject"], speaks: true },
  "issue.closed": { parts: ["subject"] },
  "issue.reopened": { parts: ["subject"] },
  "issue.assigned": { parts: ["subject", "assignee"] },
  "issue.unassigned": { parts: ["subject", "assignee"] },
  "issue.labeled": { parts: ["subject", "label"] },
  "issue.unlabeled": { parts: ["subject", "label"] },
  "pull_request.opened": { parts: ["subject"], speaks: true },
  "pull_request.edited": { parts: ["subject"], speaks: true },
  "pull_request.closed": { parts: ["subject"] },
  "pull_request.merged": { parts: ["subject"] },
  "pull_request.reopened": { parts: ["subject"] },
  "pull_request.synchronized": { parts: ["subject"] },
  "pull_request.assigned": { parts: ["subject", "assignee"] },
  "pull_request.unassigned": { parts: ["subject", "assignee"] },
  "pull_request.labeled": { parts: ["subject", "label"] },
  "pull_request.unlabeled": { parts: ["subject", "label"] },
  "pull_request.review_requested": { parts: ["subject", "reviewer"] },
  "pull_request.review_request_removed": { parts: ["subject", "reviewer"] },
  "comment.created": { parts: ["subject", "comment"], speaks: true },
  "comment.edited": { parts: ["subject", "comment"], speaks: true },
  "comment.deleted": { parts: ["subject", "comment"] },
  "review.submitted": { parts: ["subject", "review"], speaks: true },
  push: { parts: ["push"] },
  "ci.completed": { parts: ["ci"] },
} as const satisfies Record<EventKind, Shape>;

const shapeOf = (kind: EventKind): Shape => shapes[kind];

/** Every kind that `on` can name. */
export const eventKinds = Object.keys(shapes) as EventKind[];

/** Whether events of this kind belong to an issue or a pull request. */
export const hasThread = (kind: EventKind): boolean => shapeOf(kind).parts.includes("subject");
export const hasAssignee = (kind: EventKind): boolean => shapeOf(kind).parts.includes("assignee");
export const hasMentions = (kind: EventKind): boolean => shapeOf(kind).speaks === true;

export type Contexts = Readonly<Record<string, ContextValue>>;

interface Known {
  /** Every kind that the flow starts on. */
  kinds: readonly EventKind[];
  agents: readonly string[];
}

/** The contexts of an event of this kind, and nothing that it could not have: what is not here is a fault at load. */
export function contextTypes(kind: EventKind, { kinds, agents }: Known): ObjectType {
  const agent: ValueType = { kind: "text", values: agents, nullable: true };
  const eventTypes: Record<string, ValueType> = { kind: oneOf(...kinds), repository: text };
  for (const part of shapeOf(kind).parts) Object.assign(eventTypes, parts[part].types);
  const agentTypes: Record<string, ValueType> = {};
  if (hasAssignee(kind)) agentTypes["assigned"] = agent;
  if (hasMentions(kind)) agentTypes["mentioned"] = listOf(oneOf(...agents));
  if (hasThread(kind)) agentTypes["involved"] = listOf(oneOf(...agents));
  return {
    event: object(eventTypes),
    actor: object({ login: text, permission: oneOf("none", "read", "write", "admin") }),
    agents: object(agentTypes),
    ...(hasThread(kind) ? { thread: threadType } : {}),
  };
}

const threadType = object({
  number,
  kind: oneOf("issue", "pull_request"),
  state: oneOf("open", "closed"),
  labels: listOf(text),
});

/** The values for {@link contextTypes}. A permission that was not got is null here; conditions that look at it are not evaluated then. */
export function contextValues(event: ForgeEvent, facts: MatchFacts): Contexts {
  const eventValues: Record<string, ContextValue> = { kind: event.kind, repository: event.repository.name };
  for (const part of shapeOf(event.kind).parts) Object.assign(eventValues, parts[part].values(event));
  const agentValues: Record<string, ContextValue> = {};
  if (hasAssignee(event.kind)) agentValues["assigned"] = facts.assignedAgent;
  if (hasMentions(event.kind)) agentValues["mentioned"] = facts.mentionedAgents;
  if (hasThread(event.kind)) agentValues["involved"] = facts.involvedAgents;
  return {
    event: eventValues,
    actor: { login: event.actor.login, permission: facts.actorPermission },
    agents: agentValues,
    ...(facts.thread === null ? {} : { thread: { ...facts.thread } }),
  };
}
