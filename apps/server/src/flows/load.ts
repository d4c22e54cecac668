import type { FileFault } from "../domain/fault.ts";
import type { FlowEventKind } from "../domain/flow.ts";
import { contextTypes, eventKinds, hasAssignee, hasMentions, hasThread } from "./contexts.ts";
import { compileExpression, type Expression, type Scope } from "./expressions.ts";
import type { Filters, Flow, Step } from "./flow.ts";
import { reportIssues } from "./issues.ts";
import { type OpLoad, readTemplate } from "./ops/op.ts";
import { isOpName, ops } from "./registry.ts";
import { FiltersSchema, FlowParts, FlowSchema, StepSchema } from "./schema.ts";
import { type Path, readSource, type Source } from "./source.ts";
import { describeType } from "./types.ts";

export interface FlowText {
  /** As people should see it in a fault; the last part is its name, and ends in `.yaml`. */
  file: string;
  text: string;
}

export interface FlowSources {
  defaults: readonly FlowText[];
  /** The operator's; a file shadows the shipped one of the same name. */
  custom: readonly FlowText[];
  /** Names of the configured agent types. */
  agents: readonly string[];
  skills: readonly string[];
}

/** All or nothing: one fault anywhere, and there are no flows. */
export type LoadedFlows = { kind: "loaded"; flows: readonly Flow[] } | { kind: "refused"; faults: FileFault[] };

/** Flows in the order of their files' names, so that decisions have one too. Never throws. */
export function loadFlows({ defaults, custom, agents, skills }: FlowSources): LoadedFlows {
  const files = new Map<string, FlowText & Pick<Flow, "origin">>();
  for (const text of defaults) files.set(baseName(text.file), { ...text, origin: "default" });
  for (const text of custom) files.set(baseName(text.file), { ...text, origin: "custom" });
  const faults: FileFault[] = [];
  const flows: Flow[] = [];
  for (const [name, { file, text, origin }] of [...files].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    const source = readSource(file, text);
    const flow = loadFlow(source, origin, { agents, skills });
    if (!name.endsWith(".yaml")) source.fault([], "the file's name does not end in .yaml", "a name such as flow.yaml");
    const twin = flows.find((other) => other.name === flow?.name);
    if (twin)
      source.fault(["name"], `the name ${JSON.stringify(twin.name)} is taken by ${twin.file}`, "a name of its own");
    if (flow !== null) flows.push(flow);
    faults.push(...source.faults.toSorted((one, other) => one.line - other.line || one.column - other.column));
  }
  return faults.length > 0 ? { kind: "refused", faults } : { kind: "loaded", flows };
}

const baseName = (file: string): string => file.slice(file.lastIndexOf("/") + 1);

type Names = Pick<FlowSources, "agents" | "skills">;

function loadFlow(source: Source, origin: Flow["origin"], names: Names): Flow | null {
  if (source.faults.length > 0) return null;
  const parsed = FlowSchema.safeParse(source.data);
  if (!parsed.success) reportIssues(parsed.error.issues, source, source.data, keysAt);
  // What is well formed is looked into even beside what is not, so that all faults come at once.
  const part = parsed.success ? parsed.data : FlowParts.safeParse(source.data).data;
  if (part === undefined) return null;
  const on = part.on === undefined ? {} : readTriggers(part.on, source);
  const kinds = eventKinds.filter((kind) => on[kind] !== undefined);
  if (kinds.length === 0 && part.on !== undefined) source.fault(["on"], "on names no event", "at least one event");
  const scopes = kinds.map((kind) => ({ event: kind, contexts: contextTypes(kind, { kinds, agents: names.agents }) }));
  const condition = part.if === undefined ? null : loadCondition(String(part.if), scopes, source);
  const steps = loadSteps(part.steps ?? [], { ...names, kinds, scopes }, source);
  if (!parsed.success || kinds.length === 0) return null;
  const { name, description = null } = parsed.data;
  return { name, description, file: source.file, origin, on, condition, steps };
}

function keysAt(path: Path): string[] {
  if (path.length === 0) return Object.keys(FlowSchema.shape);
  if (path[0] === "steps") return Object.keys(StepSchema.shape);
  return path.length === 1 ? [...eventKinds] : Object.keys(FiltersSchema.shape);
}

function readTriggers(on: FlowSchema["on"], source: Source): Partial<Record<FlowEventKind, Filters>> {
  const kinds = typeof on === "string" ? [on] : Array.isArray(on) ? on : null;
  const entries = kinds?.map((kind) => [kind, null] as const) ?? Object.entries(on);
  return Object.fromEntries(
    entries.map(([key, given]) => {
      const kind = key as FlowEventKind;
      const filters = FiltersSchema.parse(given ?? {});
      const misplaced = (filter: keyof Filters, reason: string, expected: string): void =>
        source.faultAtKey(["on", kind], filter, `${filter} cannot hold for ${kind}, ${reason}`, expected);
      if (filters.assignee && !hasAssignee(kind)) misplaced("assignee", "which assigns nobody", ofKinds(hasAssignee));
      if (filters.mentions && !hasMentions(kind)) misplaced("mentions", "which has no text", ofKinds(hasMentions));
      if (filters.labels && !hasThread(kind)) misplaced("labels", "which has no labels", "an issue or a pull request");
      const { assignee = null, mentions = null, labels = null, by } = filters;
      const repositories = filters.repositories?.map((name) => name.toLowerCase()) ?? null;
      return [kind, { assignee, mentions, by, repositories, labels } satisfies Filters];
    }),
  );
}

const ofKinds = (has: (kind: FlowEventKind) => boolean): string =>
  `it under one of ${eventKinds.filter(has).join(", ")}`;

function loadCondition(text: string, scopes: readonly Scope[], source: Source): Expression | null {
  const template = readTemplate(text);
  if (template === null) {
    source.fault(["if"], "if mixes ${{ }} with other text", "one expression, in ${{ }} or without them");
    return null;
  }
  const [inner, offset] = template.kind === "literal" ? [text, 0] : [template.source, template.offset];
  const condition = loadExpression(inner, scopes, (at, message, expected) =>
    source.faultInside(["if"], offset + at, message, expected),
  );
  if (condition === null || condition.type.kind === "boolean") return condition;
  source.fault(
    ["if"],
    `the condition gives ${describeType(condition.type)}`,
    "true or false: compare it with something",
  );
  return null;
}

type Report = (offset: number, message: string, expected: string) => void;

function loadExpression(text: string, scopes: readonly Scope[], report: Report): Expression | null {
  // Without an event there is nothing to check against; that fault is reported by itself.
  if (scopes.length === 0) return null;
  const compiled = compileExpression(text, scopes);
  if (compiled.kind === "expression") return compiled.expression;
  for (const { offset, message, expected } of compiled.faults) report(offset, message, expected);
  return null;
}

interface StepNames extends Names {
  kinds: readonly FlowEventKind[];
  scopes: readonly Scope[];
}

function loadSteps(files: readonly (StepSchema | undefined)[], names: StepNames, source: Source): Step[] {
  const seen = new Set<string>();
  return files.flatMap((file, at) => {
    if (file === undefined) return [];
    const id = file.id ?? String(at + 1);
    if (seen.has(id)) source.fault(["steps", at, "id"], `two steps are called ${id}`, "an id of its own");
    seen.add(id);
    const plan = loadPlan(file, ["steps", at], names, source);
    return plan === null ? [] : [{ id, uses: file.uses, plan }];
  });
}

function loadPlan(file: StepSchema, path: Path, names: StepNames, source: Source): Step["plan"] | null {
  if (!isOpName(file.uses)) {
    const known = Object.keys(ops).join(", ");
    source.fault([...path, "uses"], `there is no op ${JSON.stringify(file.uses)}`, `one of ${known}`);
    return null;
  }
  const op = ops[file.uses];
  const inWith = (key: string): Path => (key === "" ? [...path, "uses"] : [...path, "with", key]);
  const load: OpLoad = {
    ...names,
    fault: (key, message, expected) => source.fault(inWith(key), message, expected),
    expression: (key, template) => {
      const [text, start] = template.kind === "literal" ? [template.text, 0] : [template.source, template.offset];
      return loadExpression(text, names.scopes, (at, message, expected) =>
        source.faultInside(inWith(key), start + at, message, expected),
      );
    },
  };
  const compiled = op.compile(file.with, load);
  if (compiled.kind === "plan") return compiled.plan;
  if (compiled.kind === "issues") {
    const issues = compiled.issues.map((issue) => ({ ...issue, path: [...path, "with", ...issue.path] }));
    reportIssues(issues, source, source.data, () => Object.keys(op.settings.shape));
  }
  return null;
}
