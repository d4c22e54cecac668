import { z } from "zod";
import type { SessionId } from "../domain/ids.ts";
import type { SessionTotals } from "../domain/session.ts";
import type { AgentMessage } from "./agent-runtime.ts";

const count = z.number().min(0).catch(0);

const Block = z.union([
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.literal("tool_use"), id: z.string(), name: z.string(), input: z.unknown() }),
  z.object({ type: z.literal("tool_result"), tool_use_id: z.string(), is_error: z.boolean().nullish() }),
  z.object({ type: z.string() }).transform(() => ({ type: "other" as const })),
]);
const Content = z.union([z.string().transform((text) => [{ type: "text" as const, text }]), z.array(Block)]);

const parent = z.string().nullish();

const Init = z.object({
  type: z.literal("system"),
  subtype: z.literal("init"),
  session_id: z.guid(),
  model: z.string(),
  tools: z.array(z.string()),
});
const Retry = z.object({
  type: z.literal("system"),
  subtype: z.literal("api_retry"),
  attempt: count,
  error_status: z.number().nullable(),
  error: z.string(),
});
const Background = z.object({
  type: z.literal("system"),
  subtype: z.literal("background_tasks_changed"),
  tasks: z.array(z.object({ ambient: z.boolean().optional() })),
});
const Assistant = z.object({
  type: z.literal("assistant"),
  message: z.object({ content: Content }),
  parent_tool_use_id: parent,
  error: z.string().optional(),
  api_error_status: z.number().nullish(),
});
const User = z.object({ type: z.literal("user"), message: z.object({ content: Content }), parent_tool_use_id: parent });
const RateLimit = z.object({
  type: z.literal("rate_limit_event"),
  rate_limit_info: z.object({ status: z.string(), resetsAt: z.number().min(0).nullish() }),
});
const ModelUsage = z.object({
  inputTokens: count,
  outputTokens: count,
  cacheReadInputTokens: count,
  cacheCreationInputTokens: count,
});
const Result = z.object({
  type: z.literal("result"),
  subtype: z.string(),
  is_error: z.boolean(),
  result: z.string().optional(),
  errors: z.array(z.string()).optional(),
  num_turns: count,
  terminal_reason: z.string().nullish(),
  api_error_status: z.number().nullish(),
  total_cost_usd: count,
  modelUsage: z.record(z.string(), ModelUsage).catch({}),
  queued_turn_count: z.number().nullish(),
  user_message_uuids: z.array(z.string()).catch([]),
});

const Raw = z.union([Init, Retry, Background, Assistant, User, RateLimit, Result]);

/** A message of the Agent SDK (0.3.330) in our own words; what is not known, or not in its known form, is `other`. */
export function translate(raw: unknown): AgentMessage[] {
  const parsed = Raw.safeParse(raw);
  if (!parsed.success) return [{ kind: "other", type: typeOf(raw) }];
  const message = parsed.data;
  switch (message.type) {
    case "assistant":
      return ofAssistant(message);
    case "user":
      return ofContent(message.message.content, message.parent_tool_use_id).filter(
        ({ kind }) => kind === "tool-result",
      );
    case "rate_limit_event": {
      const { status, resetsAt } = message.rate_limit_info;
      return [
        { kind: "rate-limit", rejected: status === "rejected", resetsAt: resetsAt == null ? null : resetsAt * 1_000 },
      ];
    }
    case "result":
      return [ofResult(message)];
    case "system":
      return [ofSystem(message)];
    default:
      return message satisfies never;
  }
}

function ofSystem(message: z.infer<typeof Init | typeof Retry | typeof Background>): AgentMessage {
  switch (message.subtype) {
    case "init": {
      const { session_id, model, tools } = message;
      return { kind: "init", session: session_id as SessionId, model, tools };
    }
    case "api_retry":
      return { kind: "api-retry", attempt: message.attempt, status: message.error_status, error: message.error };
    case "background_tasks_changed":
      return { kind: "background", tasks: message.tasks.filter(({ ambient }) => ambient !== true).length };
    default:
      return message satisfies never;
  }
}

function ofAssistant({
  message,
  parent_tool_use_id,
  error,
  api_error_status,
}: z.infer<typeof Assistant>): AgentMessage[] {
  const content = ofContent(message.content, parent_tool_use_id);
  if (error === undefined) return content;
  const text = content.map((block) => (block.kind === "text" ? block.text : "")).join("");
  return [{ kind: "api-error", status: api_error_status ?? null, error, text }];
}

function ofContent(content: z.infer<typeof Content>, parentToolUse: string | null | undefined): AgentMessage[] {
  const nested = parentToolUse != null;
  return content.flatMap((block): AgentMessage[] => {
    switch (block.type) {
      case "text":
        return [{ kind: "text", text: block.text, nested }];
      case "tool_use":
        return [{ kind: "tool-use", id: block.id, name: block.name, input: short(block.input), nested }];
      case "tool_result":
        return [{ kind: "tool-result", id: block.tool_use_id, failed: block.is_error === true, nested }];
      case "other":
        return [];
      default:
        return block satisfies never;
    }
  });
}

function ofResult(message: z.infer<typeof Result>): AgentMessage {
  const { subtype, is_error, result, errors, num_turns, terminal_reason, api_error_status, queued_turn_count } =
    message;
  return {
    kind: "result",
    ok: subtype === "success" && !is_error,
    text: result ?? errors?.join("\n") ?? "",
    reason: terminal_reason ?? (subtype === "success" ? null : subtype.replace(/^error_/, "")),
    apiStatus: api_error_status ?? null,
    turns: num_turns,
    totals: totalsOf(message),
    queued: queued_turn_count ?? 0,
    told: message.user_message_uuids,
  };
}

function totalsOf({ modelUsage, total_cost_usd }: z.infer<typeof Result>): SessionTotals | null {
  const models = Object.values(modelUsage);
  if (models.length === 0) return null;
  return {
    costUsd: total_cost_usd,
    inputTokens: sum(models.map((m) => m.inputTokens + m.cacheReadInputTokens + m.cacheCreationInputTokens)),
    outputTokens: sum(models.map((m) => m.outputTokens)),
  };
}

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);

const maxInputChars = 400;

/** One line for people: a single text as it stands, anything else as JSON. */
function short(input: unknown): string {
  const main = typeof input === "object" && input !== null ? mainField(input) : undefined;
  const text = (main ?? JSON.stringify(input) ?? "").replace(/\s+/g, " ").trim();
  return text.length <= maxInputChars ? text : `${text.slice(0, maxInputChars - 1).toWellFormed()}…`;
}

function mainField(input: object): string | undefined {
  const fields = ["command", "file_path", "notebook_path", "pattern", "description", "path"] as const;
  const values = input as Partial<Record<string, unknown>>;
  return fields.map((field) => values[field]).find((value) => typeof value === "string");
}

function typeOf(raw: unknown): string {
  if (typeof raw !== "object" || raw === null) return typeof raw;
  const { type, subtype } = raw as { type?: unknown; subtype?: unknown };
  return (
    [type, subtype]
      .filter((part) => typeof part === "string")
      .join("/")
      .slice(0, 100) || "unnamed"
  );
}
