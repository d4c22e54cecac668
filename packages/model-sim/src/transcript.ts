import { foldedIn, isInterruption, isPlaceholderReply, spoken } from "./cli-words.ts";
import { type Block, blocksOf, type Message } from "./wire.ts";

/** What was said for one turn. Prompts that got no reply yet share the turn with the next one. */
export interface SpokenTurn {
  prompts: string[];
  /** Model replies so far, and so the number of the step that is due. */
  replies: number;
  /** Messages that reached the model while a tool of this turn ran. */
  folded: string[];
  lastToolResult: string;
}

/** Reads the turns out of a request's messages alone, so that a resumed session is read as the running one was. */
export function readTurns(messages: readonly Message[]): SpokenTurn[] {
  const turns: SpokenTurn[] = [];
  let sinceReply = { toolResult: false, interrupted: false };
  let lastRole: Message["role"] | undefined;
  for (const message of messages) {
    const blocks = blocksOf(message.content);
    if (message.role === "assistant") {
      const turn = turns.at(-1);
      if (turn && lastRole !== "assistant" && !blocks.every((block) => isPlaceholderReply(block.text ?? ""))) {
        turn.replies += 1;
      }
      sinceReply = { toolResult: false, interrupted: false };
    } else {
      for (const block of blocks) readBlock(turns, message.role, block, sinceReply);
    }
    lastRole = message.role;
  }
  return turns;
}

function readBlock(
  turns: SpokenTurn[],
  role: "user" | "system",
  block: Block,
  sinceReply: { toolResult: boolean; interrupted: boolean },
): void {
  const turn = turns.at(-1);
  const text = block.type === "tool_result" ? toolResultText(block) : (block.text ?? "");
  if (role === "system" || block.type === "tool_result") turn?.folded.push(...foldedIn(text));
  if (role === "system") return;
  if (block.type === "tool_result") {
    sinceReply.toolResult = true;
    if (turn) turn.lastToolResult = spoken(text);
    return;
  }
  if (isInterruption(text)) {
    sinceReply.interrupted = true;
    return;
  }
  const said = spoken(text);
  if (said === "") return;
  if (turn && sinceReply.toolResult && !sinceReply.interrupted) {
    turn.folded.push(said);
    return;
  }
  if (turn && turn.replies === 0) {
    turn.prompts.push(said);
    return;
  }
  turns.push({ prompts: [said], replies: 0, folded: [], lastToolResult: "" });
}

function toolResultText(block: Block): string {
  const content = block["content"];
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part: { text?: unknown }) => (typeof part.text === "string" ? part.text : "")).join("\n");
}
