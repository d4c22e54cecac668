import { accessOf } from "../state/access.ts";
import type { IssueRecord, UserRecord } from "../state/records.ts";
import { sendIssueEvent } from "../webhooks/send.ts";
import { type ApiContext, ApiError, can, signedIn } from "./base.ts";

interface AssigneeFields {
  assignee?: string | null | undefined;
  assignees?: string[] | null | undefined;
}

interface IssueFields extends AssigneeFields {
  title?: string | null | undefined;
  body?: string | null | undefined;
  state?: "open" | "closed" | null | undefined;
}

export function startingAssignees(c: ApiContext, { assignee, assignees }: AssigneeFields): UserRecord[] {
  const logins = [...(assignees ?? []), ...(assignee ? [assignee] : [])];
  const users = logins.map((login) => {
    const user = c.var.world.store.user(login);
    if (!user) throw new ApiError(422, `Assignee does not exist: [name: user does not exist [uid: 0, name: ${login}]]`);
    return user;
  });
  return [...new Set(users)];
}

/** Whoever may read the repository may be assigned. */
export function checkAssignees(c: ApiContext, users: readonly UserRecord[]): void {
  const { repo } = c.var;
  const outsider = users.find((user) => user.organization || accessOf(user, repo) === "none");
  if (!outsider) return;
  throw new ApiError(422, `user doesn't have access to repo [user_id: ${outsider.id}, repo_name: ${repo.name}]`);
}

/** Applies the fields of a PATCH in Forgejo's order, each with its own webhook. */
export function editIssue(c: ApiContext, issue: IssueRecord, fields: IssueFields): void {
  const { world } = c.var;
  const doer = signedIn(c);
  const at = world.store.now();
  const assignees =
    can(c, "write") && (fields.assignees || fields.assignee) ? newAssignees(c, issue, fields) : undefined;
  if (fields.title && fields.title !== issue.title) {
    const from = issue.title;
    issue.title = fields.title;
    issue.updatedAt = at;
    sendIssueEvent(world, { kind: "plain", action: "edited", doer, issue, changes: { title: { from } } });
  }
  if (typeof fields.body === "string") {
    const from = issue.body;
    issue.body = fields.body;
    issue.updatedAt = at;
    sendIssueEvent(world, { kind: "plain", action: "edited", doer, issue, changes: { body: { from } } });
  }
  if (assignees) replaceAssignees(c, issue, assignees);
  if (fields.state && fields.state !== issue.state) setState(c, issue, fields.state);
}

/**
 * Forgejo answers 500 where one expects 422: for an unknown login in the PATCH of an issue, and for a user without
 * access everywhere. Here nothing is changed by then; Forgejo would have changed title and body.
 */
function newAssignees(c: ApiContext, issue: IssueRecord, fields: AssigneeFields): UserRecord[] {
  const unknown = [...(fields.assignees ?? []), fields.assignee ?? ""].some(
    (name) => name && !c.var.world.store.user(name),
  );
  try {
    const users = startingAssignees(c, fields);
    checkAssignees(c, users);
    return users;
  } catch (error) {
    if (unknown && issue.pull) throw error;
    throw new ApiError(500, "");
  }
}

function replaceAssignees(c: ApiContext, issue: IssueRecord, wanted: readonly UserRecord[]): void {
  const { world } = c.var;
  const doer = signedIn(c);
  const ids = wanted.map((user) => user.id);
  for (const id of issue.assignees.filter((old) => !ids.includes(old))) {
    issue.assignees = issue.assignees.filter((other) => other !== id);
    issue.updatedAt = world.store.now();
    sendIssueEvent(world, { kind: "assign", action: "unassigned", doer, issue });
  }
  for (const id of ids.filter((one) => !issue.assignees.includes(one))) {
    issue.assignees.push(id);
    issue.updatedAt = world.store.now();
    sendIssueEvent(world, { kind: "assign", action: "assigned", doer, issue });
  }
}

function setState(c: ApiContext, issue: IssueRecord, state: "open" | "closed"): void {
  const { world } = c.var;
  issue.state = state;
  issue.updatedAt = world.store.now();
  issue.closedAt = state === "closed" ? issue.updatedAt : undefined;
  const action = state === "closed" ? "closed" : "reopened";
  sendIssueEvent(world, { kind: "plain", action, doer: signedIn(c), issue });
}
