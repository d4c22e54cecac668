import type { Answer, AnswerBlock } from "./wire.ts";

const PIECE_CHARACTERS = 48;

/** The event stream of an answer, one string for each event, in the Messages API's order. */
export function eventsOf(answer: Answer): string[] {
  const events: { type: string; [field: string]: unknown }[] = [
    {
      type: "message_start",
      message: { ...answer, content: [], stop_reason: null, usage: { ...answer.usage, output_tokens: 1 } },
    },
    { type: "ping" },
  ];
  for (const [index, block] of answer.content.entries()) {
    events.push({ type: "content_block_start", index, content_block: emptyBlock(block) });
    for (const delta of deltas(block)) events.push({ type: "content_block_delta", index, delta });
    events.push({ type: "content_block_stop", index });
  }
  events.push(
    {
      type: "message_delta",
      delta: { stop_reason: answer.stop_reason, stop_sequence: answer.stop_sequence },
      usage: answer.usage,
    },
    { type: "message_stop" },
  );
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

function emptyBlock(block: AnswerBlock): AnswerBlock {
  switch (block.type) {
    case "text":
      return { ...block, text: "" };
    case "thinking":
      return { ...block, thinking: "", signature: "" };
    case "tool_use":
      return { ...block, input: {} };
    default:
      return block satisfies never;
  }
}

function deltas(block: AnswerBlock): object[] {
  switch (block.type) {
    case "text":
      return pieces(block.text).map((text) => ({ type: "text_delta", text }));
    case "thinking": {
      const thoughts = pieces(block.thinking).map((thinking) => ({ type: "thinking_delta", thinking }));
      return [...thoughts, { type: "signature_delta", signature: block.signature }];
    }
    case "tool_use":
      return pieces(JSON.stringify(block.input)).map((json) => ({ type: "input_json_delta", partial_json: json }));
    default:
      return block satisfies never;
  }
}

function pieces(text: string): string[] {
  const characters = Array.from(text);
  const found: string[] = [];
  for (let at = 0; at < characters.length; at += PIECE_CHARACTERS) {
    found.push(characters.slice(at, at + PIECE_CHARACTERS).join(""));
  }
  return found;
}
