import type { SessionId } from "../../domain/ids.ts";
import type { LiveHooks } from "../../domain/live.ts";
import type { AgentMessage, AgentRuntime, AgentStart, ResultMessage } from "../agent-runtime.ts";

export interface Doings {
  start: AgentStart;
  pushed: string[];
  interrupts: number;
  ends: number;
  kills: number;
  disposed: boolean;
}

/** A process in a test's hands: it says what the script yields, and ends when that returns or when it is killed. */
export type FakeScript = (doings: Doings, killed: Promise<void>) => AsyncGenerator<AgentMessage>;

/** One script for each start, in their order; more starts than scripts are a fault. */
export function fakeRuntime(...scripts: FakeScript[]): AgentRuntime & { started: Doings[] } {
  const started: Doings[] = [];
  return {
    started,
    start(start) {
      const script = scripts[started.length];
      if (script === undefined) throw new Error("one start too many");
      const doings: Doings = { start, pushed: [], interrupts: 0, ends: 0, kills: 0, disposed: false };
      started.push(doings);
      const killed = Promise.withResolvers<void>();
      return {
        messages: script(doings, killed.promise),
        push: (text) => `message-${doings.pushed.push(text)}`,
        end: () => void (doings.ends += 1),
        interrupt: () => void (doings.interrupts += 1),
        kill() {
          doings.kills += 1;
          killed.resolve();
        },
        stderrTail: () => "the last words",
        async [Symbol.asyncDispose]() {
          doings.disposed = true;
        },
      };
    },
  };
}

export const sessionId = "6f1a1c1e-7a43-4f0e-9d0b-0a7d2a6f0001" as SessionId;
export const init: Extract<AgentMessage, { kind: "init" }> = {
  kind: "init",
  session: sessionId,
  model: "m",
  tools: [],
};
export const text = (words: string): AgentMessage => ({ kind: "text", text: words, nested: false });

export const result = (changes: Partial<ResultMessage> = {}): ResultMessage => ({
  kind: "result",
  ok: true,
  text: "done",
  reason: "completed",
  apiStatus: null,
  turns: 2,
  totals: { costUsd: 0.5, inputTokens: 100, outputTokens: 20 },
  queued: 0,
  told: ["message-1"],
  ...changes,
});

export const failed = (changes: Partial<ResultMessage>): ResultMessage =>
  result({ ok: false, text: "what it said", ...changes });

export const deaf: LiveHooks = { opened() {}, async told() {} };
