import type { StreamEntry } from "@claude-hooks/api";
import { z } from "zod";
import { size } from "./text.ts";

const Block = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.literal("tool_use"), name: z.string(), input: z.unknown() }),
  z.object({ type: z.literal("tool_result"), content: z.unknown() }),
]);

const Message = z.discriminatedUnion("type", [
  z.object({ type: z.literal("system"), subtype: z.string(), session_id: z.string().optional() }),
  z.object({
    type: z.enum(["assistant", "user"]),
    message: z.object({ content: z.union([z.string(), z.array(z.unknown())]) }),
  }),
  z.object({ type: z.literal("claude_hooks"), subtype: z.literal("transcript_full"), max_bytes: z.number() }),
  z.object({
    type: z.literal("result"),
    is_error: z.boolean(),
    num_turns: z.number(),
    result: z.string().optional(),
    errors: z.array(z.string()).optional(),
  }),
]);

const widest = 400;

/** A run's stored entry as a person follows it; what nobody reads (bookkeeping of the agent) gives no line. */
export function streamLines(entry: StreamEntry): string[] {
  const parsed = Message.safeParse(entry.message);
  if (!parsed.success) return [];
  const at = new Date(entry.at).toISOString().slice(11, 19);
  return describe(parsed.data).map((line) => `${at}  ${short(line)}`);
}

function describe(message: z.infer<typeof Message>): string[] {
  switch (message.type) {
    case "system":
      return message.subtype === "init" ? [`session ${message.session_id ?? "?"}`] : [];
    case "assistant":
    case "user":
      return typeof message.message.content === "string"
        ? [`${message.type}: ${message.message.content}`]
        : message.message.content.flatMap((block) => describeBlock(message.type, block));
    case "claude_hooks":
      return [`the session's transcript is full (${size(message.max_bytes)}): it is not resumed any further`];
    case "result":
      return [
        message.is_error
          ? `ended with an error after ${message.num_turns} turns: ${message.errors?.join("; ") ?? message.result ?? ""}`
          : `ended after ${message.num_turns} turns`,
      ];
    default:
      return message satisfies never;
  }
}

function describeBlock(speaker: string, block: unknown): string[] {
  const parsed = Block.safeParse(block);
  if (!parsed.success) return [];
  switch (parsed.data.type) {
    case "text":
      return [`${speaker === "assistant" ? "agent" : "told"}: ${parsed.data.text}`];
    case "tool_use":
      return [`  → ${parsed.data.name} ${JSON.stringify(parsed.data.input)}`];
    case "tool_result":
      return [
        `  ← ${typeof parsed.data.content === "string" ? parsed.data.content : JSON.stringify(parsed.data.content)}`,
      ];
    default:
      return parsed.data satisfies never;
  }
}

function short(line: string): string {
  const flat = line.replaceAll(/\s*\n\s*/g, " ⏎ ");
  return flat.length > widest ? `${flat.slice(0, widest)} …` : flat;
}
