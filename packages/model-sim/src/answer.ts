import { tokens } from "./prefix.ts";
import type { ScriptedUsage, Step } from "./script.ts";
import type { SpokenTurn } from "./transcript.ts";
import type { Answer, AnswerBlock, Usage } from "./wire.ts";

/** The reply that a step stands for; ids are new each time, since a resumed transcript holds the old ones. */
export function answerStep(step: Step, spoken: SpokenTurn, model: string, input: Omit<Usage, "output_tokens">): Answer {
  const fill = (text: string) => fillIn(text, spoken);
  const content: AnswerBlock[] = [];
  if (step.thinking !== undefined) {
    content.push({ type: "thinking", thinking: fill(step.thinking), signature: "model-sim" });
  }
  if (step.text !== undefined) content.push({ type: "text", text: fill(step.text) });
  for (const tool of step.tools ?? []) {
    content.push({ type: "tool_use", id: freshId("toolu"), name: tool.name, input: fillDeep(tool.input, fill) });
  }
  return answerWith(content, model, input, step.usage);
}

/** A plain text reply, for the side requests. */
export function answerText(text: string, model: string, input: Omit<Usage, "output_tokens">): Answer {
  return answerWith([{ type: "text", text }], model, input);
}

function answerWith(
  content: AnswerBlock[],
  model: string,
  input: Omit<Usage, "output_tokens">,
  scripted: ScriptedUsage = {},
): Answer {
  const computed = { ...input, output_tokens: Math.max(1, tokens(Buffer.byteLength(JSON.stringify(content)))) };
  return {
    id: freshId("msg"),
    type: "message",
    role: "assistant",
    model,
    content,
    stop_reason: content.some((block) => block.type === "tool_use") ? "tool_use" : "end_turn",
    stop_sequence: null,
    usage: replaceGiven(computed, scripted),
  };
}

function replaceGiven(computed: Usage, scripted: ScriptedUsage): Usage {
  return {
    input_tokens: scripted.input_tokens ?? computed.input_tokens,
    cache_creation_input_tokens: scripted.cache_creation_input_tokens ?? computed.cache_creation_input_tokens,
    cache_read_input_tokens: scripted.cache_read_input_tokens ?? computed.cache_read_input_tokens,
    output_tokens: scripted.output_tokens ?? computed.output_tokens,
  };
}

/** `{{prompt}}`, `{{folded}}` and `{{lastToolResult}}` come from the request; any other braces stay as they are. */
function fillIn(text: string, spoken: SpokenTurn): string {
  const values: Record<string, string> = {
    prompt: spoken.prompts.join("\n\n"),
    folded: spoken.folded.join("\n\n"),
    lastToolResult: spoken.lastToolResult,
  };
  return text.replace(/\{\{(prompt|folded|lastToolResult)\}\}/g, (_, name: string) => values[name] ?? "");
}

function fillDeep(value: unknown, fill: (text: string) => string): unknown {
  if (typeof value === "string") return fill(value);
  if (Array.isArray(value)) return value.map((item) => fillDeep(item, fill));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillDeep(item, fill)]));
}

export function freshId(kind: "msg" | "toolu" | "req"): string {
  return `${kind}_${crypto.randomUUID().replaceAll("-", "").slice(0, 24)}`;
}
