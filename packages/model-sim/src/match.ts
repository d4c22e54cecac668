import { compactionHead, subagentMark, titleMark } from "./cli-words.ts";
import { fits, type Script, type ScriptedAgent, type Step, type Turn } from "./script.ts";
import { readTurns, type SpokenTurn } from "./transcript.ts";
import { blocksOf, type MessagesRequest, systemText } from "./wire.ts";

/** Where in the script a request belongs; turn and step count from 1. */
export interface Place {
  agent: string;
  turn: number;
  step: number;
}

export type SideRule = "title" | "compaction";

/** Which agent, turn and step a request is for, or which rule answers it, or why nobody expects it. */
export type Decision =
  | { kind: "scripted"; place: Place; step: Step; spoken: SpokenTurn }
  | { kind: "side"; rule: SideRule; text: string }
  | { kind: "unexpected"; why: string; place: Partial<Place> };

/** Looks at nothing but the request, so that restarts of either side change no answer. */
export function match(script: Script, request: MessagesRequest, agentId?: string): Decision {
  const side = sideRequest(request);
  if (side) return side;
  const turns = readTurns(request.messages);
  const agent = findAgent(script, request, turns, agentId);
  if (!agent) return noAgent(script, isSubagent(request, agentId));
  const spoken = turns.at(-1);
  const place = { agent: agent.name };
  if (!spoken) {
    const why = "the request holds no prompt (a compacted transcript loses them)";
    return { kind: "unexpected", why: `agent "${agent.name}": ${why}`, place };
  }
  const index = allot(agent.turns, turns).at(-1);
  if (index === undefined) {
    const why = `agent "${agent.name}": none of its ${agent.turns.length} turns is left for prompt ${turns.length}`;
    return { kind: "unexpected", why: `${why}: "${excerpt(spoken.prompts.join(" | "))}"`, place };
  }
  return findStep(agent, index, spoken, request);
}

function findStep(agent: ScriptedAgent, index: number, spoken: SpokenTurn, request: MessagesRequest): Decision {
  const steps = agent.turns[index]?.steps ?? [];
  const place = { agent: agent.name, turn: index + 1, step: spoken.replies + 1 };
  const where = `agent "${place.agent}", turn ${place.turn}, step ${place.step}`;
  const step = steps[spoken.replies];
  if (!step) return { kind: "unexpected", why: `${where}: the turn has ${steps.length} steps`, place };
  const offered = new Set(request.tools?.map((tool) => tool.name));
  const missing = step.tools?.find((tool) => !tool.unoffered && !offered.has(tool.name));
  if (missing) {
    const why = `calls ${missing.name}, which the request does not offer (it offers ${[...offered].join(", ") || "none"})`;
    return { kind: "unexpected", why: `${where}: ${why}`, place };
  }
  return { kind: "scripted", place, step, spoken };
}

/**
 * The script's turn for each spoken turn, in order: an unused one whose `when` fits its prompts, otherwise the next
 * unused one without `when`.
 */
function allot(scripted: readonly Turn[], spoken: readonly SpokenTurn[]): (number | undefined)[] {
  const used = new Set<number>();
  return spoken.map((turn) => {
    const said = turn.prompts.join("\n\n");
    const free = scripted.map((candidate, index) => ({ candidate, index })).filter(({ index }) => !used.has(index));
    const pick =
      free.find(({ candidate }) => candidate.when && fits(candidate.when.prompt, said)) ??
      free.find(({ candidate }) => !candidate.when);
    if (pick && !pick.candidate.repeat) used.add(pick.index);
    return pick?.index;
  });
}

function findAgent(
  script: Script,
  request: MessagesRequest,
  turns: readonly SpokenTurn[],
  agentId: string | undefined,
): ScriptedAgent | undefined {
  const system = systemText(request);
  const prompt = turns[0]?.prompts.join("\n\n") ?? "";
  const subagent = isSubagent(request, agentId);
  return script.agents.find(({ match: wanted }) => {
    if ((wanted.subagent ?? false) !== subagent) return false;
    if (wanted.system !== undefined && !fits(wanted.system, system)) return false;
    return wanted.prompt === undefined || fits(wanted.prompt, prompt);
  });
}

function isSubagent(request: MessagesRequest, agentId: string | undefined): boolean {
  return agentId !== undefined || (blocksOf(request.system)[0]?.text ?? "").includes(subagentMark);
}

function sideRequest(request: MessagesRequest): Decision | undefined {
  if (!request.tools?.length && systemText(request).includes(titleMark)) {
    return { kind: "side", rule: "title", text: JSON.stringify({ title: "A scripted session" }) };
  }
  const last = request.messages.at(-1);
  if (last?.role !== "user") return undefined;
  if (!blocksOf(last.content).some((block) => block.text?.startsWith(compactionHead))) return undefined;
  const text =
    "<analysis>This is a script, it has nothing to analyse.</analysis>\n<summary>A scripted session.</summary>";
  return { kind: "side", rule: "compaction", text };
}

function noAgent(script: Script, subagent: boolean): Decision {
  const kind = subagent ? "sub-agent" : "agent";
  const known = script.agents.filter((agent) => (agent.match.subagent ?? false) === subagent);
  const names = known.map((agent) => `${agent.name} (${JSON.stringify(agent.match)})`).join(", ");
  return { kind: "unexpected", why: `no ${kind} of the script matches; it has ${names || "none"}`, place: {} };
}

/** The last messages of a request, shortened, for people. */
export function tail(request: MessagesRequest, count = 4): string {
  return request.messages
    .slice(-count)
    .map(({ role, content }) => `  ${role}: ${blocksOf(content).map(showBlock).join(" ¦ ")}`)
    .join("\n");
}

function showBlock(block: { type: string; text?: string | undefined }): string {
  return block.type === "text" ? excerpt(block.text ?? "") : excerpt(JSON.stringify(block));
}

function excerpt(text: string): string {
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}
