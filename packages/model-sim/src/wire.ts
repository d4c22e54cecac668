import { z } from "zod";
import { type ErrorStatus, errorTypes } from "./script.ts";

/** A content block; only what the matching reads is named, the rest passes through. */
export const Block = z.looseObject({ type: z.string(), text: z.string().optional() });
export type Block = z.infer<typeof Block>;

/** The agent binary writes `role: "system"` inside `messages`, too, with models that take it. */
export const Message = z.looseObject({
  role: z.enum(["user", "assistant", "system"]),
  content: z.union([z.string(), z.array(Block)]),
});
export type Message = z.infer<typeof Message>;

const Tool = z.looseObject({ name: z.string() });

const prompt = {
  model: z.string().min(1),
  messages: z.array(Message).min(1),
  system: z.union([z.string(), z.array(Block)]).optional(),
  tools: z.array(Tool).optional(),
  metadata: z.looseObject({ user_id: z.string().nullish() }).optional(),
};

/** Body of `POST /v1/messages/count_tokens`. */
export const CountRequest = z.looseObject(prompt);
export type CountRequest = z.infer<typeof CountRequest>;

/** Body of `POST /v1/messages`. */
export const MessagesRequest = z.looseObject({
  ...prompt,
  max_tokens: z.int().min(1),
  stream: z.boolean().optional(),
});
export type MessagesRequest = z.infer<typeof MessagesRequest>;

export interface Usage {
  input_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
  output_tokens: number;
}

export type AnswerBlock =
  | { type: "thinking"; thinking: string; signature: string }
  | { type: "text"; text: string }
  | { type: "tool_use"; id: string; name: string; input: unknown };

export interface Answer {
  id: string;
  type: "message";
  role: "assistant";
  model: string;
  content: AnswerBlock[];
  stop_reason: "end_turn" | "tool_use";
  stop_sequence: null;
  usage: Usage;
}

export function blocksOf(content: string | Block[] | undefined): Block[] {
  if (content === undefined) return [];
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

/** The text of the top-level system prompt. */
export function systemText(request: CountRequest): string {
  return blocksOf(request.system)
    .map((block) => block.text ?? "")
    .join("\n");
}

/** The body that the Messages API gives an error. */
export function errorBody(status: ErrorStatus, message: string, requestId: string) {
  return { type: "error", error: { type: errorTypes[status], message }, request_id: requestId };
}
