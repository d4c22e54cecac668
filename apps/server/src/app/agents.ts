import { join } from "node:path";
import { type RunAgentDeps, runAgent } from "../agents/agent-runner.ts";
import { type ClaudePlace, claudeEnvironment, claudeRuntime } from "../agents/claude.ts";
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
import type { Lane } from "../jail/lanes.ts";
import type { AgentRequest } from "../runs/ports.ts";
import { chooseSession, type SessionChoice } from "../sessions/choose.ts";
import type { TranscriptMirror } from "../sessions/transcripts.ts";
import type { Mirrors } from "../workdir/mirror.ts";
import { type LaneTranscripts, maxTranscriptBytes } from "./transcripts.ts";

export interface AgentsDeps {
  config: Pick<Config, "agents" | "model">;
  clock: Clock;
  timers: Timers;
  log: Log;
  metrics: Pick<Metrics, "resumeFailure">;
  transcripts: LaneTranscripts;
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
  const { jail, broker, mirrors, transcripts } = deps;
  const { run, thread } = request.place;
  const mirror = mirrors.mirror(thread.forge, thread.repositoryId);
  const { dir } = await jail.openLane(run.lane);
  const sockets = join(dir, "broker");
  const lane = await jail.openLane(run.lane, { mirror: mirror.path, sockets });
  // What a run left that could not store all that its agent wrote.
  await transcripts.settle(lane);
  await broker.open({ run: run.id, socket: join(sockets, socketName), owner: lane.identity });
  const opened: TranscriptMirror[] = [];
  let outcome: AgentOutcome | null = null;
  try {
    outcome = await runOnLane(deps, request, { lane, opened }, signal);
    return outcome;
  } finally {
    await broker.close(run.id);
    const stored = await Promise.all(opened.map((transcript) => transcript.settle()));
    await transcripts.end(lane, outcome?.kind === "completed" && stored.every(Boolean));
  }
}

interface Opened {
  lane: Lane;
  /** Gets the transcript of each session that a process is started for. */
  opened: TranscriptMirror[];
}

async function runOnLane(
  deps: AgentsDeps,
  { place, system, prompt, live }: AgentRequest,
  { lane, opened }: Opened,
  signal: AbortSignal,
): Promise<AgentOutcome> {
  const { timers, broker } = deps;
  const { run, agent } = place;
  const sessions = deps.sessions(agent.name);
  const onRaw = streamWriter(deps, run.id);
  const limit = watchLimit(broker, run.id);
  try {
    return await runAgent(
      {
        runtime: claudeRuntime(placeOf(deps, { lane, opened }, onRaw)),
        clock: deps.clock,
        timers,
        sessions: laneSessions(sessions, run.lane),
        countResumeFailure: failureCounter(deps, sessions, run.id),
      },
      {
        agent: {
          model: agent.model,
          systemPrompt: system,
          tools: agent.tools,
          maxTurns: deps.config.agents[agent.name]?.maxTurns ?? null,
          onRaw,
        },
        bounds: { deadlineMs: agent.deadlineMs, stallMs: agent.stallMs, graceMs },
        choice: await choiceFor(deps, sessions, run.lane),
        totalsBefore: await sessions.getTotals(run.lane),
        prompt,
        limitedUntil: () => limit.until(),
        live,
      },
      signal,
    );
  } finally {
    limit.stop();
  }
}

function placeOf(deps: AgentsDeps, { lane, opened }: Opened, onRaw: (json: string) => void): ClaudePlace {
  const { jail, transcripts, timers, config } = deps;
  return {
    executable: inside.agent,
    cwd: inside.checkout,
    env: claudeEnvironment({
      home: inside.home,
      brokerSocket: `${inside.sockets}/${socketName}`,
      credential: config.model.credential.kind,
    }),
    spawn(options) {
      transcripts.adopt(lane, options.env["CLAUDE_CONFIG_DIR"]);
      return jail.spawnAgent(lane, options);
    },
    timers,
    transcript(session) {
      const full = (bytes: number) => onRaw(JSON.stringify({ ...fullNote, bytes }));
      const transcript = transcripts.open({ lane: lane.key, session }, full);
      opened.push(transcript);
      return transcript;
    },
  };
}

/** In the run's stream, beside what the agent says. */
const fullNote = { type: "claude_hooks", subtype: "transcript_full", max_bytes: maxTranscriptBytes };

async function choiceFor({ transcripts }: AgentsDeps, sessions: SessionStore, lane: LaneKey): Promise<SessionChoice> {
  const lookup = await sessions.findSession(lane);
  if (lookup.kind !== "live") return chooseSession(lookup);
  const transcript = await transcripts.look({ lane, session: lookup.session.id });
  return chooseSession({ ...lookup, transcript });
}

function failureCounter(
  { metrics, log }: AgentsDeps,
  sessions: SessionStore,
  run: RunId,
): RunAgentDeps["countResumeFailure"] {
  return async (reason) => {
    metrics.resumeFailure(reason);
    try {
      await sessions.incrementSessionResumeFailures(reason);
    } catch (error) {
      log.error({ runId: run, error }, "a failed resume could not be counted");
    }
  };
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
