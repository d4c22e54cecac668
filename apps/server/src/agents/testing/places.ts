import { chmod, mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Model, type Script, startModel } from "@claude-hooks/model-sim";
import type { LaneKey, SessionId } from "../../domain/ids.ts";
import type { AgentOutcome } from "../../domain/run.ts";
import type { SessionStart, SessionTotals } from "../../domain/session.ts";
import { systemClock, systemTimers } from "../../infrastructure/clock.ts";
import { startProcess } from "../../infrastructure/process.ts";
import { type AgentRunRequest, runAgent } from "../agent-runner.ts";
import { type AgentProcess, type ClaudePlace, claudeEnvironment, claudeRuntime } from "../claude.ts";
import { deaf } from "./fakes.ts";

/** The native agent binary that the SDK brings. */
export const agentBinary = join(
  dirname(Bun.resolveSync("@anthropic-ai/claude-agent-sdk-linux-x64/package.json", import.meta.dir)),
  "claude",
);

export const bash = (command: string, more: Record<string, string | boolean> = {}) => [
  { name: "Bash", input: { command, description: "scripted", ...more } },
];

/** One agent type, told by its system prompt. */
export const scriptOf = (turns: Script["agents"][number]["turns"]): Script => ({
  name: "agents",
  agents: [{ name: "dev", match: { system: "AGENT-TYPE: dev" }, turns }],
});

export interface Laid extends AsyncDisposable {
  root: string;
  cwd: string;
  model: Model;
  place: ClaudePlace;
  processes: AgentProcess[];
}

/** A real agent without a jail, in folders of its own, whose model is a script on a unix socket. */
export async function layOut(
  turns: Script["agents"][number]["turns"],
  changes: Partial<Laid["place"]> = {},
): Promise<Laid> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "agents-")));
  await chmod(root, 0o755);
  const cwd = join(root, "repo");
  const home = join(root, "home");
  await mkdir(cwd);
  await mkdir(home);
  const socket = join(root, "model.sock");
  const model = await startModel({ script: scriptOf(turns), socket });
  const processes: AgentProcess[] = [];
  const place: ClaudePlace = {
    executable: agentBinary,
    cwd,
    env: { ...claudeEnvironment({ home, brokerSocket: socket, credential: "api-key" }), PATH: "/usr/bin:/bin" },
    spawn({ command, args, env }) {
      const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
      const child = startProcess([command, ...args], { cwd, env: Object.fromEntries(given) });
      processes.push(child);
      return child;
    },
    timers: systemTimers,
    ...changes,
  };
  const dispose = async () => {
    await model.close();
    await rm(root, { recursive: true, force: true });
  };
  return { root, cwd, model, place, processes, [Symbol.asyncDispose]: dispose };
}

export interface Ran {
  outcome: AgentOutcome;
  raw: string[];
  counted: string[];
  dropped: SessionId[];
  kept: (SessionTotals | null)[];
}

type Changes = Partial<Omit<AgentRunRequest, "agent">> & {
  tools?: readonly string[];
  onRaw?: (json: string) => void;
  signal?: AbortSignal;
  timers?: typeof systemTimers;
};

/** One run of a real agent; the prompt names how it starts. */
export async function runReal(place: ClaudePlace, changes: Changes = {}): Promise<Ran> {
  const ran: Omit<Ran, "outcome"> = { raw: [], counted: [], dropped: [], kept: [] };
  const { tools = ["Bash", "Read"], onRaw, signal, timers = systemTimers, ...rest } = changes;
  const deps = {
    runtime: claudeRuntime(place),
    clock: systemClock,
    timers,
    sessions: {
      keep: async (_: SessionId, __: number, totals: SessionTotals | null) => void ran.kept.push(totals),
      drop: async (id: SessionId) => void ran.dropped.push(id),
    },
    countResumeFailure: async (reason: string) => void ran.counted.push(reason),
  };
  const request: AgentRunRequest = {
    agent: {
      model: "claude-sonnet-4-5",
      systemPrompt: "AGENT-TYPE: dev",
      tools,
      maxTurns: null,
      onRaw: (json) => {
        ran.raw.push(json);
        onRaw?.(json);
      },
    },
    bounds: { deadlineMs: 600_000, stallMs: 300_000, graceMs: 5_000 },
    choice: { start: { kind: "fresh", reason: "none", detail: null }, resume: null, drop: null },
    totalsBefore: null,
    prompt: async (start: SessionStart) => (start.kind === "fresh" ? "FRESH, please" : "RESUMED, please"),
    limitedUntil: () => null,
    live: deaf,
    ...rest,
  };
  return { ...ran, outcome: await runAgent(deps, request, signal ?? new AbortController().signal) };
}

export const resumeOf = (id: string): AgentRunRequest["choice"] => ({
  start: { kind: "resumed", lastUsedAt: 1 },
  resume: { lane: "dev:t" as LaneKey, id: id as SessionId, lastUsedAt: 1 },
  drop: null,
});
