import type { SessionId } from "../domain/ids.ts";
import type { Timers } from "../domain/timers.ts";
import type { AgentMessage, AgentRuntime, AgentSession, AgentStart } from "./agent-runtime.ts";
import { type Bounds, note, nothingSeen, type Seen } from "./seen.ts";
import { watchOver } from "./watch.ts";

export interface Attempt {
  start: AgentStart;
  prompt: string;
  bounds: Bounds;
  /** Called once, when the agent names its session: before it works. */
  onSession: (session: SessionId) => Promise<void>;
}

/** Runs one agent process to its end, whatever that is; rejects only with what `onSession` rejects with. */
export async function attempt(
  deps: { runtime: AgentRuntime; timers: Timers },
  { start, prompt, bounds, onSession }: Attempt,
  signal: AbortSignal,
): Promise<Seen> {
  const seen = nothingSeen();
  if (signal.aborted) return { ...seen, stop: "interrupted" };
  const session = startOr(deps.runtime, start, seen);
  if (session === null) return seen;
  await using live = session;
  using watch = watchOver(live, seen, bounds, deps.timers, signal);
  live.push(prompt);
  for await (const message of untilItBreaks(live.messages, seen)) {
    const named = message.kind === "init" && seen.session === null;
    note(seen, message);
    watch.heard(message);
    if (named) await onSession(message.session);
  }
  seen.stderr = live.stderrTail();
  return seen;
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
