import { z } from "zod";

/** A part of a text: a plain string is looked for as it stands, a regular expression must be named as such. */
export const Pattern = z.union([
  z.string().min(1),
  z
    .strictObject({ regex: z.string().min(1), flags: z.string().optional() })
    .refine(compiles, { error: "not a regular expression that JavaScript accepts" }),
]);
export type Pattern = z.infer<typeof Pattern>;

const times = z.int().min(1).optional();

/** Status codes with the error type that the Messages API gives them. */
export const errorTypes = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  529: "overloaded_error",
} as const;
export type ErrorStatus = keyof typeof errorTypes;

const errorStatus = z.literal(Object.keys(errorTypes).map(Number) as ErrorStatus[]);

/**
 * What goes wrong instead of an answer. `times` counts over all conversations and only in this process; without it the
 * fault never ends. "cut" breaks the connection in the middle of the answer, "silence" accepts and never answers.
 */
export const Fault = z.union([
  z.literal(["cut", "silence"]),
  z.strictObject({ cut: z.literal(true), times }),
  z.strictObject({ silence: z.literal(true), times }),
  z.strictObject({
    status: errorStatus,
    message: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    times,
  }),
]);
export type Fault = z.infer<typeof Fault>;

/** Figures that replace the computed ones; in tokens. */
export const ScriptedUsage = z.strictObject({
  input_tokens: z.int().min(0).optional(),
  cache_creation_input_tokens: z.int().min(0).optional(),
  cache_read_input_tokens: z.int().min(0).optional(),
  output_tokens: z.int().min(0).optional(),
});
export type ScriptedUsage = z.infer<typeof ScriptedUsage>;

/** `unoffered` lets the script call a tool that the request does not offer; otherwise that is an unexpected request. */
export const ToolCall = z.strictObject({
  name: z.string().min(1),
  input: z.record(z.string(), z.json()),
  unoffered: z.boolean().optional(),
});
export type ToolCall = z.infer<typeof ToolCall>;

/** One reply of the model. `gate` is waited for first, then `delay_ms` passes, then `fault` or the reply. */
export const Step = z
  .strictObject({
    thinking: z.string().optional(),
    text: z.string().optional(),
    tools: z.array(ToolCall).min(1).optional(),
    usage: ScriptedUsage.optional(),
    gate: z.string().min(1).optional(),
    delay_ms: z.int().min(0).optional(),
    fault: Fault.optional(),
  })
  .refine((step) => hasReply(step) || endless(step.fault), {
    error: "needs text or tools, or a fault without times",
  });
export type Step = z.infer<typeof Step>;

/** What the model does for one prompt; the k-th step is its k-th reply since that prompt. */
export const Turn = z
  .strictObject({
    when: z.strictObject({ prompt: Pattern }).optional(),
    /** Otherwise a turn is used once in a conversation. */
    repeat: z.boolean().optional(),
    steps: z.array(Step).min(1),
  })
  .refine((turn) => !turn.steps.at(-1)?.tools?.some((tool) => tool.name !== "StructuredOutput"), {
    error: "the last step calls a tool, so the agent will ask again: add the step that answers the tool's result",
    path: ["steps"],
  });
export type Turn = z.infer<typeof Turn>;

/** The first agent whose `match` fits answers; `subagent` (default false) says which of the two kinds it stands for. */
export const ScriptedAgent = z.strictObject({
  name: z.string().min(1),
  match: z
    .strictObject({ system: Pattern.optional(), prompt: Pattern.optional(), subagent: z.boolean().optional() })
    .refine((match) => match.system !== undefined || match.prompt !== undefined, {
      error: "needs system (part of the system prompt) or prompt (part of the first prompt)",
    }),
  turns: z.array(Turn).min(1),
});
export type ScriptedAgent = z.infer<typeof ScriptedAgent>;

export const Script = z
  .strictObject({ name: z.string().min(1), agents: z.array(ScriptedAgent).min(1) })
  .refine((script) => new Set(script.agents.map((agent) => agent.name)).size === script.agents.length, {
    error: "agents must have different names",
    path: ["agents"],
  });
export type Script = z.infer<typeof Script>;

/** Throws one error that names every fault of the script with its path. */
export function parseScript(data: unknown, source = "script"): Script {
  const parsed = Script.safeParse(data);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${source}: ${z.core.toDotPath(issue.path)}: ${issue.message}`);
  throw new Error(`not a script for model-sim:\n${faults.join("\n")}`);
}

export function fits(pattern: Pattern, text: string): boolean {
  if (typeof pattern === "string") return text.includes(pattern);
  return new RegExp(pattern.regex, pattern.flags).test(text);
}

function hasReply(step: { text?: string | undefined; tools?: unknown[] | undefined }): boolean {
  return step.text !== undefined || step.tools !== undefined;
}

function endless(fault: Fault | undefined): boolean {
  if (fault === undefined) return false;
  return typeof fault === "string" || fault.times === undefined;
}

function compiles(pattern: { regex: string; flags?: string | undefined }): boolean {
  try {
    return new RegExp(pattern.regex, pattern.flags).source !== "";
  } catch {
    return false;
  }
}
