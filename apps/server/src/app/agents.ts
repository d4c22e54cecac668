import { join } from "node:path";
import { runAgent } from "../agents/agent-runner.ts";
import { claudeEnvironment, claudeRuntime } from "../agents/claude.ts";
import type { Broker } from "../broker/client.ts";
import type { Config } from "../config/config.ts";
import type { Clock, LaneKey, RunId } from "../domain/ids.ts";
import type { Log } from "../domain/log.ts";
import type { AgentOutcome } from "../domain/run.ts";
import type { Timers } from "../domain/timers.ts";
import type { RunStreamStore } from "../infrastructure/database/run-stream.ts";
import type { SessionStore } from "../infrastructure/database/sessions.ts";
import type { Metrics } from "../infrastructure/metrics.ts";
import { inside } from "../jail/inside.ts";
import type { Jail } from "../jail/jail.ts";
import type { AgentRequest } from "../runs/ports.ts";
import { chooseSession } from "../sessions/choose.ts";
import type { Mirrors } from "../workdir/mirror.ts";

export interface AgentsDeps {
  config: Pick<Config, "agents" | "model">;
  clock: Clock;
  timers: Timers;
  log: Log;
  metrics: Pick<Metrics, "resumeFailure">;
  jail: Jail;
  broker: Broker;
  mirrors: Mirrors;
  /** The session store with the maximum age of this agent type. */
  sessions(agent: string): SessionStore;
  streams: RunStreamStore;
  /** A run has a new entry in its stream. */
  streamed(run: RunId): void;
}

const socketName = "model.sock";
/** How long an agent that was asked to end may take before it is killed. */
const graceMs = 5_000;

/** Runs the Claude agent of a run in its lane's jail, with a model socket of its own. */
export async function runInJail(deps: AgentsDeps, request: AgentRequest, signal: AbortSignal): Promise<AgentOutcome> {
  const { jail, broker, mirrors, timers } = deps;
  const { run, thread, agent } = request.place;
  const mirror = mirrors.mirror(thread.forge, thread.repositoryId);
  const { dir } = await jail.openLane(run.lane);
  const sockets = join(dir, "broker");
  const lane = await jail.openLane(run.lane, { mirror: mirror.path, sockets });
  const limit = watchLimit(broker, run.id);
  await broker.open({ run: run.id, socket: join(sockets, socketName), owner: lane.identity });
  try {
    const sessions = deps.sessions(agent.name);
    const settings = deps.config.agents[agent.name];
    const env = claudeEnvironment({
      home: inside.home,
      brokerSocket: `${inside.sockets}/${socketName}`,
      credential: deps.config.model.credential.kind,
    });
    const runtime = claudeRuntime({
      executable: inside.agent,
      cwd: inside.checkout,
      env,
      spawn: (options) => jail.spawnAgent(lane, options),
      timers,
    });
    const { prompts } = request;
    return await runAgent(
      {
        runtime,
        clock: deps.clock,
        timers,
        sessions: laneSessions(sessions, run.lane),
        countResumeFailure: (reason) => {
          deps.metrics.resumeFailure(reason);
          sessions.incrementSessionResumeFailures(reason).catch((error: unknown) => {
            deps.log.error({ runId: run.id, error }, "a failed resume could not be counted");
          });
        },
      },
      {
        agent: {
          model: agent.model,
          systemPrompt: prompts.system,
          tools: agent.tools,
          maxTurns: settings?.maxTurns ?? null,
          onRaw: streamWriter(deps, run.id),
        },
        bounds: { deadlineMs: agent.deadlineMs, stallMs: agent.stallMs, graceMs },
        choice: chooseSession(await sessions.findSession(run.lane)),
        totalsBefore: await sessions.getTotals(run.lane),
        prompt: async (start) => (start.kind === "resumed" ? prompts.resumed : prompts.fresh),
        limitedUntil: () => limit.until(),
        live: request.live,
      },
      signal,
    );
  } finally {
    limit.stop();
    await broker.close(run.id);
  }
}

function laneSessions(sessions: SessionStore, lane: LaneKey): Parameters<typeof runAgent>[0]["sessions"] {
  return {
    async keep(session, _usedAt, totals) {
      await sessions.setSession(lane, session);
      if (totals !== null) await sessions.setTotals(lane, session, totals);
    },
    async drop() {
      await sessions.deleteSession(lane);
    },
  };
}

/** Entries are stored in order; what cannot be stored is said once, and costs the run nothing. */
function streamWriter(deps: AgentsDeps, run: RunId): (json: string) => void {
  const { streams, clock, log } = deps;
  let seq = 0;
  let failed = false;
  return (json) => {
    seq += 1;
    streams.appendStream(run, seq, clock.now(), json).then(
      () => deps.streamed(run),
      (error: unknown) => {
        if (!failed) log.error({ runId: run, error }, "the run's stream has a gap: an entry could not be stored");
        failed = true;
      },
    );
  };
}

/** Until when the model's own answers to this run say that the account is limited. */
function watchLimit(broker: Broker, run: RunId): { until(): number | null; stop(): void } {
  let until: number | null = null;
  const stop = broker.onRequest((report) => {
    if (report.run === run) until = report.limitedUntil;
  });
  return { until: () => until, stop };
}
