import { z } from "zod";
import type { Dispatch } from "../../domain/flow.ts";
import { type Contexts, hasThread } from "../contexts.ts";
import { type Expression, evaluateExpression } from "../expressions.ts";
import type { StepPlan } from "../flow.ts";
import type { ValueType } from "../types.ts";
import { type OpLoad, readTemplate, registered } from "./op.ts";

const settings = z.strictObject({
  agent: z.string("the name of an agent type, or ${{ agents.assigned }} or ${{ agents.mentioned }}"),
  skill: z.string("the name of a skill"),
});

/**
 * Gives the event's thread to agents: one task for each agent type, which joins a task of the same agent and thread
 * that still waits. Does nothing where the expression names nobody.
 */
export const dispatch = registered({
  about: "Gives the event's issue or pull request to one or more agent types, with a skill that says what to do.",
  settings,
  compile({ agent, skill }, load) {
    const threadless = load.kinds.filter((kind) => !hasThread(kind));
    if (threadless.length > 0)
      load.fault("", `dispatch cannot work on ${threadless.join(", ")}`, "events of an issue or a pull request only");
    const skillIsKnown = load.skills.includes(skill);
    const problem = skill.includes("${{") ? "skill takes no expression" : `there is no skill ${JSON.stringify(skill)}`;
    if (!skillIsKnown) load.fault("skill", problem, named(load.skills));
    const names = compileAgent(agent, load);
    if (names === null || !skillIsKnown || threadless.length > 0) return null;
    return (contexts) => plan(names(contexts), skill, load.agents);
  },
});

type Names = { kind: "names"; names: readonly unknown[]; source: string } | { kind: "failed"; reason: string };

function compileAgent(text: string, load: OpLoad): ((contexts: Contexts) => Names) | null {
  const template = readTemplate(text);
  if (template === null) {
    load.fault("agent", "agent mixes ${{ }} with other text", "a name, or one ${{ }} and nothing else");
    return null;
  }
  if (template.kind === "literal") {
    if (load.agents.includes(text)) return () => ({ kind: "names", names: [text], source: text });
    load.fault("agent", `there is no agent ${JSON.stringify(text)}`, named(load.agents));
    return null;
  }
  const expression = load.expression("agent", template);
  if (expression === null) return null;
  if (!givesAgents(expression.type, load.agents)) {
    load.fault(
      "agent",
      `\`${expression.source.trim()}\` can give something that is no agent's name`,
      "agents.assigned, agents.mentioned, or case() with names of agents",
    );
    return null;
  }
  return (contexts) => namesFrom(expression, contexts);
}

/** Text that people write must never choose the agent. */
function givesAgents(type: ValueType, agents: readonly string[]): boolean {
  if (type.kind === "list") return givesAgents(type.of, agents);
  return type.kind === "text" && type.values !== undefined && type.values.every((value) => agents.includes(value));
}

function namesFrom(expression: Expression, contexts: Contexts): Names {
  const result = evaluateExpression(expression, contexts);
  if (result.kind === "failed") return result;
  const { value } = result;
  const names: readonly unknown[] = Array.isArray(value) ? value : value === null ? [] : [value];
  return { kind: "names", names, source: expression.source.trim() };
}

function plan(found: Names, skill: string, agents: readonly string[]): StepPlan {
  if (found.kind === "failed") return { kind: "idle", why: `the agent could not be worked out: ${found.reason}` };
  const stranger = found.names.find((name) => typeof name !== "string" || !agents.includes(name));
  if (stranger !== undefined) return { kind: "idle", why: `${JSON.stringify(stranger)} is no agent's name` };
  if (found.names.length === 0) return { kind: "idle", why: `\`${found.source}\` names no agent` };
  const dispatches = found.names.map((name): Dispatch => ({ agentType: String(name), skill }));
  return { kind: "dispatch", dispatches };
}

const named = (names: readonly string[]): string =>
  names.length === 0 ? "a name, but none is configured" : `one of ${names.join(", ")}`;
