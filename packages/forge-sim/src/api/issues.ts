import { Hono } from "hono";
import { z } from "zod";
import { toIssue } from "../convert/issue.ts";
import type { IssueRecord } from "../state/records.ts";
import { sendIssueEvent } from "../webhooks/send.ts";
import { checkAssignees, editIssue, startingAssignees } from "./assign.ts";
import {
  type ApiContext,
  type ApiEnv,
  ApiError,
  can,
  idParam,
  notArchived,
  notFound,
  readBody,
  requiredText,
  signedIn,
} from "./base.ts";
import { page, withinQuery } from "./paging.ts";

/** `/issues` and `/issues/{n}`; a pull request is an issue here, too. */
export const issueRoutes = new Hono<ApiEnv>()
  .get("/", listIssues)
  .post("/", createIssue)
  .get("/:number{[0-9]+}", (c) => c.json(toIssue(c.var.world, issueParam(c), c.var.doer)))
  .patch("/:number{[0-9]+}", patchIssue);

export function issueParam(c: ApiContext): IssueRecord {
  const issue = c.var.repo.issues.get(idParam(c, "number"));
  if (!issue) throw notFound();
  return issue;
}

const byUpdate = (a: IssueRecord, b: IssueRecord): number => a.updatedAt - b.updatedAt || a.number - b.number;
const byNumber = (a: IssueRecord, b: IssueRecord): number => a.number - b.number;
const flip =
  (order: typeof byUpdate): typeof byUpdate =>
  (a, b) =>
    order(b, a);

/** By `sort`; newest first without it. */
export function sortIssues<T extends IssueRecord>(sort: string | undefined, issues: readonly T[]): T[] {
  const orders: Record<string, typeof byUpdate> = {
    oldest: byNumber,
    recentupdate: flip(byUpdate),
    leastupdate: byUpdate,
    mostcomment: (a, b) => b.comments.size - a.comments.size || byNumber(b, a),
    leastcomment: (a, b) => a.comments.size - b.comments.size || byNumber(b, a),
  };
  return issues.toSorted(orders[sort ?? ""] ?? flip(byNumber));
}

/** `state` as in the query: `closed`, `all`, and open for any other. */
export function inState(state: string | undefined): (issue: IssueRecord) => boolean {
  if (state === "all") return () => true;
  const wanted = state === "closed" ? "closed" : "open";
  return (issue) => issue.state === wanted;
}

function listIssues(c: ApiContext): Response {
  const { world, repo, doer } = c.var;
  const type = c.req.query("type");
  const userFilter = (name: string): number | undefined => {
    const login = c.req.query(name);
    if (!login) return undefined;
    const user = world.store.user(login);
    if (!user) throw notFound(`user does not exist [uid: 0, name: ${login}]`);
    return user.id;
  };
  const creator = userFilter("created_by");
  const assignee = userFilter("assigned_by");
  const found = [...repo.issues.values()]
    .filter(inState(c.req.query("state")))
    .filter(withinQuery(c))
    .filter(hasLabels(c))
    .filter((issue) => (type === "pulls" ? issue.pull : type === "issues" ? !issue.pull : true))
    .filter((issue) => creator === undefined || issue.posterId === creator)
    .filter((issue) => assignee === undefined || issue.assignees.includes(assignee));
  const sorted = sortIssues(c.req.query("sort"), found);
  return c.json(page(c, sorted).map((issue) => toIssue(world, issue, doer)));
}

/** Every known name must be there; an unknown one is dropped in silence, and with it its condition. */
function hasLabels(c: ApiContext): (issue: IssueRecord) => boolean {
  const names = new Set((c.req.query("labels") ?? "").split(","));
  const wanted = [...c.var.repo.labels.values()].filter((label) => names.has(label.name)).map((label) => label.id);
  return (issue) => wanted.every((id) => issue.labels.includes(id));
}

const CreateIssue = z.object({
  title: requiredText,
  body: z.string().nullish(),
  assignee: z.string().nullish(),
  assignees: z.array(z.string()).nullish(),
  labels: z.array(z.number()).nullish(),
  closed: z.boolean().nullish(),
});

/** Sends `assigned` for each assignee, then `opened`, then `label_updated`. */
async function createIssue(c: ApiContext): Promise<Response> {
  const doer = signedIn(c);
  notArchived(c);
  const body = await readBody(c, CreateIssue);
  const { world, repo } = c.var;
  // Who may not write has no say in assignees and labels; Forgejo passes over them without a word.
  const assignees = can(c, "write") ? startingAssignees(c, body) : [];
  checkAssignees(c, assignees);
  const labels = can(c, "write") ? (body.labels ?? []).filter((id) => repo.labels.has(id)) : [];
  const at = world.store.now();
  const issue: IssueRecord = {
    id: world.store.nextId("issue"),
    number: repo.issues.size + 1,
    repoId: repo.id,
    posterId: doer.id,
    title: body.title,
    body: body.body ?? "",
    state: "open",
    labels: [...new Set(labels)],
    assignees: [],
    createdAt: at,
    updatedAt: at,
    closedAt: undefined,
    reactions: [],
    comments: new Map(),
    pull: undefined,
  };
  repo.issues.set(issue.number, issue);
  announce(
    c,
    issue,
    assignees.map((user) => user.id),
  );
  if (body.closed) editIssue(c, issue, { state: "closed" });
  return c.json(toIssue(world, issue, doer), 201);
}

/** The events of a new issue or pull request, in Forgejo's order. */
export function announce(c: ApiContext, issue: IssueRecord, assignees: readonly number[]): void {
  const { world } = c.var;
  const doer = signedIn(c);
  for (const id of assignees) {
    issue.assignees.push(id);
    sendIssueEvent(world, { kind: "assign", action: "assigned", doer, issue });
  }
  sendIssueEvent(world, { kind: "plain", action: "opened", doer, issue });
  if (issue.labels.length > 0) sendIssueEvent(world, { kind: "label", action: "label_updated", doer, issue });
}

const PatchIssue = z.object({
  title: z.string().nullish(),
  body: z.string().nullish(),
  assignee: z.string().nullish(),
  assignees: z.array(z.string()).nullish(),
  state: z.enum(["open", "closed"]).nullish(),
});

async function patchIssue(c: ApiContext): Promise<Response> {
  const doer = signedIn(c);
  const issue = issueParam(c);
  const body = await readBody(c, PatchIssue);
  if (issue.posterId !== doer.id && !can(c, "write")) throw new ApiError(403);
  editIssue(c, issue, body);
  return c.json(toIssue(c.var.world, issue, doer), 201);
}
