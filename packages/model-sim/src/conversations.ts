import { asPrompt, type PrefixUse, type Prompt, usePrefix } from "./prefix.ts";
import { type CountRequest, systemText } from "./wire.ts";

const KEPT = 256;

/** The last answered prompt of each conversation, for the latest 256 of them. */
export interface Conversations {
  measure(key: string, request: CountRequest): { use: PrefixUse; keep: () => void };
}

export function openConversations(): Conversations {
  const last = new Map<string, Prompt>();
  return {
    measure(key, request) {
      const prompt = asPrompt(request);
      const keep = () => {
        last.delete(key);
        last.set(key, prompt);
        const [oldest] = last.keys();
        if (last.size > KEPT && oldest !== undefined) last.delete(oldest);
      };
      return { use: usePrefix(prompt, last.get(key)), keep };
    },
  };
}

/** The agent binary names its session in a header and in the metadata; other clients are told apart by how they begin. */
export function conversationOf(headers: Headers, request: CountRequest): string {
  const session = headers.get("x-claude-code-session-id") ?? sessionInMetadata(request.metadata?.user_id);
  const agentId = agentIdOf(headers);
  if (session !== undefined) return agentId === undefined ? session : `${session}/${agentId}`;
  const beginning = systemText(request) + JSON.stringify(request.messages[0]);
  return `anonymous-${Bun.hash(beginning).toString(16)}`;
}

/** Only the requests of a sub-agent carry it. */
export function agentIdOf(headers: Headers): string | undefined {
  return headers.get("x-claude-code-agent-id") ?? undefined;
}

function sessionInMetadata(userId: string | null | undefined): string | undefined {
  return userId?.match(/"session_id":"([^"]+)"/)?.[1];
}
