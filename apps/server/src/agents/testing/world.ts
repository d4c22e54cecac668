import type { LaneKey, SessionId } from "../../domain/ids.ts";
import type { Session, SessionStart, SessionTotals } from "../../domain/session.ts";
import { manualClock } from "../../infrastructure/clock.ts";
import { type AgentRunRequest, runAgent } from "../agent-runner.ts";
import type { AgentMessage } from "../agent-runtime.ts";
import { deaf, type FakeScript, fakeRuntime, sessionId } from "./fakes.ts";

const kept: Session = { lane: "dev:t" as LaneKey, id: sessionId, lastUsedAt: 7 };
export const fresh: AgentRunRequest["choice"] = {
  start: { kind: "fresh", reason: "none", detail: null },
  resume: null,
  drop: null,
};
export const resumed: AgentRunRequest["choice"] = {
  start: { kind: "resumed", lastUsedAt: 7 },
  resume: kept,
  drop: null,
};
export const expired: AgentRunRequest["choice"] = {
  start: { kind: "fresh", reason: "expired", detail: "old" },
  resume: null,
  drop: null,
};

export const says = (...messages: AgentMessage[]): FakeScript =>
  async function* () {
    yield* messages;
  };
export const diesAfter = (error: string, ...messages: AgentMessage[]): FakeScript =>
  async function* () {
    yield* messages;
    throw new Error(error);
  };
export function world(
  scripts: FakeScript[],
  choice: AgentRunRequest["choice"],
  totalsBefore: SessionTotals | null = null,
) {
  const timers = manualClock(1_000_000_000);
  const runtime = fakeRuntime(...scripts);
  const happened: unknown[] = [];
  const prompts: SessionStart[] = [];
  const deps = {
    runtime,
    clock: timers,
    timers,
    sessions: {
      keep: async (id: SessionId, usedAt: number, totals: SessionTotals | null) =>
        void happened.push(["keep", id, usedAt, totals]),
      drop: async (id: SessionId) => void happened.push(["drop", id]),
    },
    countResumeFailure: async (reason: string) => void happened.push(["count", reason]),
  };
  const request: AgentRunRequest = {
    agent: { model: "m", systemPrompt: "s", tools: ["Read"], maxTurns: null, onRaw: () => {} },
    bounds: { deadlineMs: 60_000, stallMs: 10_000, graceMs: 1_000 },
    choice,
    totalsBefore,
    prompt: async (start) => {
      prompts.push(start);
      return start.kind === "fresh" ? `fresh: ${start.reason}` : "resumed";
    },
    limitedUntil: () => null,
    live: deaf,
  };
  const stopping = new AbortController();
  const run = () => runAgent(deps, request, stopping.signal);
  return { timers, runtime, happened, prompts, request, stopping, run };
}
