import type { ForgeEvent } from "../domain/event.ts";
import type { Decision, Dispatch, MatchFacts } from "../domain/flow.ts";
import { type Contexts, contextValues } from "./contexts.ts";
import { type Expression, evaluateExpression, lookUp } from "./expressions.ts";
import type { Flow } from "./flow.ts";
import { type KnownFacts, matchFilters, matchPermission, type Verdict } from "./match.ts";

export type { KnownFacts } from "./match.ts";

/** What has to be asked of the forge before {@link decide} can answer. */
export interface NeededFacts {
  actorPermission: boolean;
}

/**
 * Asks for nothing that cannot change an answer: the actor's permission only where all other conditions of some flow
 * hold, so that a busy repository costs no look-ups.
 */
export function neededFacts(event: ForgeEvent, known: KnownFacts, flows: readonly Flow[]): NeededFacts {
  const facts = { ...known, actorPermission: null, permissionError: null };
  return { actorPermission: flows.some((flow) => beforePermission(flow, event, facts).every(({ passed }) => passed)) };
}

/** One decision for each flow, in their order. The same for the same input; never throws. */
export function decide(event: ForgeEvent, facts: MatchFacts, flows: readonly Flow[]): Decision[] {
  return flows.map((flow) => decideOne(flow, event, facts));
}

function decideOne(flow: Flow, event: ForgeEvent, facts: MatchFacts): Decision {
  const verdicts = beforePermission(flow, event, facts);
  const filters = flow.on[event.kind];
  if (filters !== undefined && verdicts.every(({ passed }) => passed)) {
    const permission = matchPermission(filters, event, facts);
    verdicts.push(permission);
    if (permission.passed && flow.condition !== null && looksAtPermission(flow.condition))
      verdicts.push(matchCondition(flow.condition, contextValues(event, facts)));
  }
  const saw = Object.assign({}, ...verdicts.map((verdict) => verdict.saw)) as Record<string, unknown>;
  const failed = verdicts.find(({ passed }) => !passed);
  if (failed !== undefined) return { flow: flow.name, matched: false, why: failed.why, saw };
  const whys = verdicts.map(({ why }) => why).filter((why) => why !== "");
  return decideSteps(flow, contextValues(event, facts), whys, saw);
}

/** Cheapest first, up to the first that fails. */
function beforePermission(flow: Flow, event: ForgeEvent, facts: MatchFacts): Verdict[] {
  const filters = matchFilters(flow, event, facts);
  if (!filters.passed || flow.condition === null || looksAtPermission(flow.condition)) return [filters];
  return [filters, matchCondition(flow.condition, contextValues(event, facts))];
}

const looksAtPermission = ({ references }: Expression): boolean => references.includes("actor.permission");

function matchCondition(condition: Expression, contexts: Contexts): Verdict {
  const saw = Object.fromEntries(condition.references.map((path) => [path, short(lookUp(contexts, path))]));
  const result = evaluateExpression(condition, contexts);
  const shown = `the condition \`${condition.source}\``;
  if (result.kind === "failed") return { passed: false, why: `${shown} could not be tried: ${result.reason}`, saw };
  if (result.value === true) return { passed: true, why: `${shown} holds`, saw };
  const values = Object.entries(saw).map(([path, value]) => `${path} is ${JSON.stringify(value)}`);
  return { passed: false, why: `${shown} does not hold${values.length > 0 ? `: ${values.join(", ")}` : ""}`, saw };
}

const longestSeenText = 200;
const longestSeenList = 50;

/** What goes into the ledger: whole issue texts do not. */
function short(value: unknown): unknown {
  if (typeof value === "string")
    return value.length <= longestSeenText ? value : `${value.slice(0, longestSeenText)}… (${value.length} characters)`;
  if (!Array.isArray(value)) return value ?? null;
  const items: unknown[] = value.slice(0, longestSeenList).map(short);
  return value.length <= longestSeenList ? items : [...items, `… (${value.length} in all)`];
}

function decideSteps(flow: Flow, contexts: Contexts, whys: string[], saw: Record<string, unknown>): Decision {
  const dispatches: Dispatch[] = [];
  const idle: string[] = [];
  for (const step of flow.steps) {
    const plan = step.plan(contexts);
    if (plan.kind === "idle") idle.push(`step ${step.id} does nothing: ${plan.why}`);
    else dispatches.push(...plan.dispatches.filter((dispatch) => !dispatches.some((other) => same(dispatch, other))));
  }
  if (dispatches.length === 0) return { flow: flow.name, matched: false, why: idle.join("; "), saw };
  const wanted = dispatches.map(({ agentType, skill }) => `${agentType} is to do ${skill}`);
  return { flow: flow.name, matched: true, why: [...whys, ...idle, ...wanted].join("; "), saw, dispatches };
}

const same = (one: Dispatch, other: Dispatch): boolean =>
  one.agentType === other.agentType && one.skill === other.skill;
