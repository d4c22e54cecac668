import type { ForgeEvent } from "../../domain/event.ts";
import type { Decision, MatchFacts } from "../../domain/flow.ts";
import { canWrite } from "../../domain/forge.ts";
import type { LaneAct, LaneStatus } from "../../domain/lane.ts";
import { type CommandLine, type CommandLines, commandLines } from "../../security/commands.ts";
import type { Command, CommandPlan } from "./command.ts";
import { commandNames, commandOf } from "./registry.ts";

/** What a comment commands, and what comes of it. */
export interface Answer {
  /** For the ledger, one for each command. */
  decisions: readonly Decision[];
  acts: readonly LaneAct[];
  /** The comment's commands were obeyed, all refused, or it has none from anybody who may give any. */
  acknowledgement: "done" | "refused" | null;
  /** Why some were refused, a sentence each, to be told in the thread. */
  refusals: readonly string[];
  /** Nothing else in the comment is to start work. */
  quiet: boolean;
  /** The comment is nothing but commands that count. */
  alone: boolean;
}

const noAnswer: Answer = {
  decisions: [],
  acts: [],
  acknowledgement: null,
  refusals: [],
  quiet: false,
  alone: false,
};

/** The lines of a new comment that could be commands; an edit commands nothing, since it would do so a second time. */
export function commandsIn(event: ForgeEvent): CommandLines {
  if (event.kind !== "comment.created") return { lines: [], alone: false };
  return commandLines(event.comment.body);
}

export const hasCommand = ({ lines }: CommandLines): boolean => lines.some(({ name }) => commandOf(name) !== null);

/** Decides on every command of a comment. Only people with write access command: of others, the ledger says why nothing came of it. */
export function answerCommands(
  { lines, alone }: CommandLines,
  facts: Pick<MatchFacts, "actorPermission" | "permissionError">,
  by: string,
  lanes: readonly LaneStatus[],
): Answer {
  const known = lines.flatMap((line) => {
    const command = commandOf(line.name);
    return command === null ? [] : [{ line, command }];
  });
  const strange = lines.filter(({ name }) => commandOf(name) === null).map(strangeDecision);
  if (known.length === 0) return { ...noAnswer, decisions: strange };
  const { actorPermission } = facts;
  if (actorPermission === null || !canWrite(actorPermission)) {
    const why = `${by} may not command: ${facts.permissionError ?? `write access is needed, and ${by} has ${actorPermission ?? "none"}`}`;
    return { ...noAnswer, decisions: [...known.map(({ line }) => ignored(line, why)), ...strange] };
  }
  const plans = known.map(({ line, command }) => ({ line, plan: planOf(line, command, by, lanes) }));
  const refusals = plans.flatMap(({ line, plan }) =>
    plan.kind === "refused" ? [`\`/${line.name}\`: ${plan.why}`] : [],
  );
  return {
    decisions: [...plans.map(({ line, plan }) => decisionOf(line, plan)), ...strange],
    acts: plans.flatMap(({ plan }) => (plan.kind === "done" ? plan.acts : [])),
    acknowledgement: refusals.length < plans.length ? "done" : "refused",
    refusals,
    quiet: known.some(({ command }) => command.keepsQuiet),
    alone: alone && strange.length === 0,
  };
}

function planOf({ args }: CommandLine, command: Command, by: string, lanes: readonly LaneStatus[]): CommandPlan {
  if (lanes.length === 0) return { kind: "refused", why: "no agent has worked on this" };
  const [wanted] = args;
  if (wanted === undefined) return command.plan(lanes, by);
  const chosen = lanes.filter(({ agentType }) => agentType === wanted);
  if (chosen.length > 0) return command.plan(chosen, by);
  const known = lanes.map(({ agentType }) => agentType).join(", ");
  return { kind: "refused", why: `no agent type of that name has worked on this; these have: ${known}` };
}

const shown = (name: string): string => `command /${name}`;

function decisionOf({ name, args }: CommandLine, plan: CommandPlan): Decision {
  const saw = { args };
  if (plan.kind === "refused") return { flow: shown(name), matched: false, why: `refused: ${plan.why}`, saw };
  return { flow: shown(name), matched: true, why: plan.why, saw, dispatches: [] };
}

const ignored = ({ name, args }: CommandLine, why: string): Decision => ({
  flow: shown(name),
  matched: false,
  why,
  saw: { args },
});

const strangeDecision = ({ name, args }: CommandLine): Decision =>
  ignored(
    { name, args },
    `there is no such command; these are: ${commandNames.map((known) => `/${known}`).join(", ")}`,
  );
