import { z } from "zod";
import type { TokenUsage } from "./protocol.ts";

/** Reads the model's name and the tokens out of an answer while it passes. */
export interface UsageReader {
  add: (chunk: Uint8Array) => void;
  /** What was said so far; of a cut answer, what came before the cut. */
  read: () => { model: string | null; usage: TokenUsage | null };
}

const maxPlainBytes = 8 * 1024 * 1024;
const maxLineChars = 1024 * 1024;

const tokens = z.int().min(0).nullish();
const Usage = z.object({
  input_tokens: tokens,
  cache_creation_input_tokens: tokens,
  cache_read_input_tokens: tokens,
  output_tokens: tokens,
});
const Message = z.object({ model: z.string().optional(), usage: Usage.optional() });
const StreamEvent = z.union([
  z.object({ type: z.literal("message_start"), message: Message }),
  z.object({ type: z.literal("message_delta"), usage: Usage }),
]);

/** `contentType` is the answer's: an event stream is read line by line, anything else as one JSON message. */
export function createUsageReader(contentType: string): UsageReader {
  const seen: { model: string | null; usage: TokenUsage | null } = { model: null, usage: null };
  const take = ({ model, usage }: z.infer<typeof Message>) => {
    seen.model = model ?? seen.model;
    if (usage) seen.usage = merge(seen.usage, usage);
  };
  if (contentType.startsWith("text/event-stream")) return streamReader(seen, take);
  let body: Buffer[] | null = [];
  let size = 0;
  return {
    add(chunk) {
      size += chunk.length;
      if (size > maxPlainBytes) body = null;
      body?.push(Buffer.from(chunk));
    },
    read() {
      const message = Message.safeParse(parsed(Buffer.concat(body ?? []).toString("utf8")));
      if (message.success) take(message.data);
      return seen;
    },
  };
}

function streamReader(
  seen: ReturnType<UsageReader["read"]>,
  take: (message: z.infer<typeof Message>) => void,
): UsageReader {
  const decoder = new TextDecoder();
  let rest = "";
  return {
    add(chunk) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      // Neither event that counts is ever so long; without this a line without end would be kept whole.
      if (rest.length > maxLineChars) rest = "";
      for (const line of lines) {
        if (!line.startsWith("data:") || !/"message_(?:start|delta)"/.test(line)) continue;
        const event = StreamEvent.safeParse(parsed(line.slice("data:".length)));
        if (!event.success) continue;
        take(event.data.type === "message_start" ? event.data.message : { usage: event.data.usage });
      }
    },
    read: () => seen,
  };
}

/** Later figures replace earlier ones: those of `message_delta` are cumulative (Messages API, streaming). */
function merge(before: TokenUsage | null, now: z.infer<typeof Usage>): TokenUsage {
  return {
    inputTokens: now.input_tokens ?? before?.inputTokens ?? 0,
    cacheCreationInputTokens: now.cache_creation_input_tokens ?? before?.cacheCreationInputTokens ?? 0,
    cacheReadInputTokens: now.cache_read_input_tokens ?? before?.cacheReadInputTokens ?? 0,
    outputTokens: now.output_tokens ?? before?.outputTokens ?? 0,
  };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
