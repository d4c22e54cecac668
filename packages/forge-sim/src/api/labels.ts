import { Hono } from "hono";
import { z } from "zod";
import { toLabel, toLabels } from "../convert/issue.ts";
import { apiUrl } from "../convert/repo.ts";
import type { IssueRecord, LabelRecord } from "../state/records.ts";
import { sendIssueEvent } from "../webhooks/send.ts";
import {
  type ApiContext,
  type ApiEnv,
  ApiError,
  can,
  needWriter,
  notFound,
  readBody,
  requiredText,
  signedIn,
} from "./base.ts";
import { issueParam } from "./issues.ts";
import { page } from "./paging.ts";

/** `/labels`: those that the repository has. */
export const labelRoutes = new Hono<ApiEnv>()
  .get("/", (c) => {
    const labels = [...c.var.repo.labels.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return c.json(page(c, labels).map((label) => show(c, label)));
  })
  .post("/", createLabel)
  .get("/:id", (c) => c.json(show(c, labelParam(c))))
  .patch("/:id", editLabel)
  .delete("/:id", (c) => {
    signedIn(c);
    needWriter(c);
    const id = Number(c.req.param("id"));
    c.var.repo.labels.delete(id);
    for (const issue of c.var.repo.issues.values()) issue.labels = issue.labels.filter((other) => other !== id);
    return c.body(null, 204);
  });

/** `/issues/{n}/labels`: those that an issue bears. */
export const issueLabelRoutes = new Hono<ApiEnv>()
  .get("/:number{[0-9]+}/labels", (c) => c.json(toLabels(c.var.world, issueParam(c))))
  .post("/:number{[0-9]+}/labels", (c) => putLabels(c, (old, named) => [...old, ...named]))
  .put("/:number{[0-9]+}/labels", (c) => putLabels(c, (_old, named) => [...named]))
  .delete("/:number{[0-9]+}/labels", (c) => {
    const doer = signedIn(c);
    const issue = writableIssue(c);
    setLabels(c, issue, []);
    sendIssueEvent(c.var.world, { kind: "label", action: "label_cleared", doer, issue });
    return c.body(null, 204);
  })
  .delete("/:number{[0-9]+}/labels/:id", removeLabel);

const show = (c: ApiContext, label: LabelRecord) => toLabel(label, apiUrl(c.var.world, c.var.repo));

function labelParam(c: ApiContext): LabelRecord {
  const wanted = c.req.param("id") ?? "";
  const label = c.var.repo.labels.values().find((one) => String(one.id) === wanted || one.name === wanted);
  if (!label) throw notFound();
  return label;
}

const color = z
  .string()
  .regex(/^#?([0-9a-f]{6}|[0-9a-f]{3})$/i, "invalid color: expected six hex digits")
  .transform((text) => text.replace("#", "").toLowerCase());

async function createLabel(c: ApiContext): Promise<Response> {
  signedIn(c);
  needWriter(c);
  const schema = z.object({
    name: requiredText,
    color,
    description: z.string().nullish(),
    exclusive: z.boolean().nullish(),
  });
  const { name, color: hex, description, exclusive } = await readBody(c, schema);
  const option = { name, color: hex, description: description ?? "", exclusive: exclusive ?? false };
  return c.json(show(c, c.var.world.store.addLabel(c.var.repo, option)), 201);
}

async function editLabel(c: ApiContext): Promise<Response> {
  signedIn(c);
  needWriter(c);
  const label = labelParam(c);
  const schema = z.object({
    name: z.string().nullish(),
    color: color.nullish(),
    description: z.string().nullish(),
    exclusive: z.boolean().nullish(),
    is_archived: z.boolean().nullish(),
  });
  const body = await readBody(c, schema);
  label.name = body.name ?? label.name;
  label.color = body.color ?? label.color;
  label.description = body.description ?? label.description;
  label.exclusive = body.exclusive ?? label.exclusive;
  label.archived = body.is_archived ?? false;
  return c.json(show(c, label));
}

/** Ids or names, never both; those that the repository does not have are dropped in silence. */
const LabelNames = z.object({ labels: z.array(z.unknown()).nullish() });

function namedLabels(c: ApiContext, given: readonly unknown[]): LabelRecord[] {
  if (given.some((one) => typeof one !== "string" && typeof one !== "number")) {
    throw new ApiError(400, "a label must be an integer or a string");
  }
  if (new Set(given.map((one) => typeof one)).size > 1) {
    throw new ApiError(400, "labels should be an array of strings or integers");
  }
  const all = [...c.var.repo.labels.values()];
  return given
    .map((one) => all.find((label) => label.id === one || label.name === one))
    .filter((label) => label !== undefined);
}

function writableIssue(c: ApiContext): IssueRecord {
  const issue = issueParam(c);
  if (!can(c, "write")) throw new ApiError(403);
  return issue;
}

async function putLabels(
  c: ApiContext,
  combine: (old: readonly LabelRecord[], named: readonly LabelRecord[]) => LabelRecord[],
): Promise<Response> {
  const doer = signedIn(c);
  const body = await readBody(c, LabelNames);
  const named = namedLabels(c, body.labels ?? []);
  const issue = writableIssue(c);
  const old = issue.labels.map((id) => c.var.repo.labels.get(id)).filter((label) => label !== undefined);
  setLabels(c, issue, combine(old, named));
  // Sent whether or not anything changed.
  sendIssueEvent(c.var.world, { kind: "label", action: "label_updated", doer, issue });
  return c.json(toLabels(c.var.world, issue));
}

const scopeOf = ({ name, exclusive }: LabelRecord): string | undefined =>
  exclusive && name.includes("/") ? name.slice(0, name.lastIndexOf("/")) : undefined;

/** Of the exclusive labels of one scope the last one stays. */
function setLabels(c: ApiContext, issue: IssueRecord, labels: readonly LabelRecord[]): void {
  const kept = labels.filter((label, at) => {
    const scope = scopeOf(label);
    return scope === undefined || !labels.slice(at + 1).some((later) => scopeOf(later) === scope);
  });
  issue.labels = [...new Set(kept.map((label) => label.id))];
  issue.updatedAt = c.var.world.store.now();
}

function removeLabel(c: ApiContext): Response {
  const doer = signedIn(c);
  const issue = writableIssue(c);
  const wanted = c.req.param("id") ?? "";
  const all = [...c.var.repo.labels.values()];
  const label = all.find(({ name }) => name === wanted) ?? all.find(({ id }) => String(id) === wanted);
  if (!label) throw new ApiError(422, `label does not exist [label_id: ${Number(wanted) || 0}]`);
  if (issue.labels.includes(label.id)) {
    issue.labels = issue.labels.filter((id) => id !== label.id);
    issue.updatedAt = c.var.world.store.now();
  }
  sendIssueEvent(c.var.world, { kind: "label", action: "label_updated", doer, issue });
  return c.body(null, 204);
}
