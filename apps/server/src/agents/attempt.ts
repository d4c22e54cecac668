import type { SessionId } from "../domain/ids.ts";
import type { LiveHooks } from "../domain/live.ts";
import type { Timers } from "../domain/timers.ts";
import type { AgentMessage, AgentRuntime, AgentSession, AgentStart, ResultMessage } from "./agent-runtime.ts";
import { type Bounds, note, nothingSeen, type Seen } from "./seen.ts";
import { watchOver } from "./watch.ts";

export interface Attempt {
  start: AgentStart;
  prompt: string;
  bounds: Bounds;
  /** Called once, when the agent names its session: before it works. */
  onSession: (session: SessionId) => Promise<void>;
  live: LiveHooks;
}

/** Runs one agent process to its end, whatever that is; rejects only with what `onSession` and `live` reject with. */
export async function attempt(
  deps: { runtime: AgentRuntime; timers: Timers },
  { start, prompt, bounds, onSession, live: hooks }: Attempt,
  signal: AbortSignal,
): Promise<Seen> {
  const seen = nothingSeen();
  if (signal.aborted) return { ...seen, stop: "interrupted" };
  const session = startOr(deps.runtime, start, seen);
  if (session === null) return seen;
  await using live = session;
  const unanswered = new Set<string>();
  let over = false;
  using watch = watchOver(live, seen, bounds, deps.timers, signal, () => unanswered.size);
  hooks.opened({
    prompt: live.push(prompt),
    push(text) {
      if (over || watch.closed()) return null;
      const id = live.push(text);
      unanswered.add(id);
      return id;
    },
  });
  for await (const message of untilItBreaks(live.messages, seen)) {
    const named = message.kind === "init" && seen.session === null;
    note(seen, message);
    if (message.kind === "result") await answered(message, unanswered, hooks);
    watch.heard(message);
    if (named) await onSession(message.session);
  }
  over = true;
  seen.stderr = live.stderrTail();
  return seen;
}

/** A turn that failed used its messages up as well: they are not told, and will not be answered. */
async function answered({ ok, told }: ResultMessage, unanswered: Set<string>, hooks: LiveHooks): Promise<void> {
  for (const id of told) unanswered.delete(id);
  if (ok) await hooks.told(told);
}

function startOr(runtime: AgentRuntime, start: AgentStart, seen: Seen): AgentSession | null {
  try {
    return runtime.start(start);
  } catch (error) {
    seen.error = messageOf(error);
    return null;
  }
}

async function* untilItBreaks(messages: AsyncIterable<AgentMessage>, seen: Seen): AsyncGenerator<AgentMessage> {
  try {
    yield* messages;
  } catch (error) {
    seen.error = messageOf(error);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
