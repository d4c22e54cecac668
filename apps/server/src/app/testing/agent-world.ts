import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Model, type Script, startModel } from "@claude-hooks/model-sim";
import { agentBinary } from "../../agents/testing/places.ts";
import { type Broker, startBroker } from "../../broker/client.ts";
import type { LaneKey, RunId } from "../../domain/ids.ts";
import type { Log } from "../../domain/log.ts";
import type { AgentOutcome } from "../../domain/run.ts";
import { systemClock, systemTimers } from "../../infrastructure/clock.ts";
import type { Database } from "../../infrastructure/database/handle.ts";
import type { RunStreamStore } from "../../infrastructure/database/run-stream.ts";
import { createSessionRecords } from "../../infrastructure/database/session-records.ts";
import { createSessionStore, type SessionStore } from "../../infrastructure/database/sessions.ts";
import { createTranscriptStore, type TranscriptStore } from "../../infrastructure/database/transcripts.ts";
import { startProcess } from "../../infrastructure/process.ts";
import { keepTemporaryFilesIn } from "../../infrastructure/temporary-folder.ts";
import type { Jail } from "../../jail/jail.ts";
import { testJail } from "../../jail/testing/jails.ts";
import type { AgentRequest } from "../../runs/ports.ts";
import { runInJail } from "../agents.ts";
import { LaneTranscripts } from "../transcripts.ts";

export const lane = "dev:thread-1" as LaneKey;

export interface AgentWorld extends AsyncDisposable {
  model: Model;
  store: TranscriptStore;
  sessions: SessionStore;
  /** The failed resumes that were counted for /metrics, and what went wrong with transcripts. */
  counted: string[];
  logged: string[];
  /** Another machine: folders of its own, the same database. */
  machine(name: string): Promise<Machine>;
}

export interface RunOptions {
  prompt?: string;
  signal?: AbortSignal;
  store?: TranscriptStore;
  onRaw?: (json: string) => void;
  /** Resumes whatever is stored, as a service would that does not look first. */
  trusting?: boolean;
}

export interface Machine {
  jail: Jail;
  transcripts: LaneTranscripts;
  /** Agent processes so far. */
  spawned(): number;
  run(options?: RunOptions): Promise<AgentOutcome>;
}

/** What the service puts together for a run of an agent, with the real agent, jail and broker; the forge's side is left out. */
export async function openAgentWorld(folder: string, db: Database, script: Script): Promise<AgentWorld> {
  await using opened = new AsyncDisposableStack();
  opened.defer(restoring("TMPDIR"));
  const model = opened.use(await startModel({ script, apiKey: "sk-test" }));
  const broker = opened.use(await openBroker(model.url));
  const counted: string[] = [];
  const logged: string[] = [];
  const log: Log = { ...silent, warn: (_, text) => void logged.push(text), error: (_, text) => void logged.push(text) };
  const store = createTranscriptStore(db, { maxBytes: 32 * 1024 * 1024 });
  const sessions = createSessionStore(db, { maxAgeMs: 86_400_000 });
  const metrics = {
    resumeFailure: (reason: string) => void counted.push(reason),
    transcriptFailure: (kind: string) => void counted.push(kind),
  };
  await mkdir(folder, { recursive: true });
  const parts: Parts = { folder, db, broker, log, store, sessions, metrics };
  const rest = opened.move();
  const dispose = () => rest.disposeAsync();
  const machine = (name: string) => openMachine(parts, name);
  return { model, store, sessions, counted, logged, machine, [Symbol.asyncDispose]: dispose };
}

interface Parts {
  folder: string;
  db: Database;
  broker: Broker;
  log: Log;
  store: TranscriptStore;
  sessions: SessionStore;
  metrics: { resumeFailure(reason: string): void; transcriptFailure(kind: string): void };
}

let runs = 0;

async function openMachine(parts: Parts, name: string): Promise<Machine> {
  const home = join(parts.folder, name);
  const mirror = join(home, "mirror.git");
  await mkdir(mirror, { recursive: true, mode: 0o755 });
  const jail = await testJail(home, { agentBinary });
  const tmpDir = join(home, "state", "tmp");
  const { log, metrics, store, broker, sessions } = parts;
  const deps = { store, records: createSessionRecords(parts.db), timers: systemTimers, log, metrics, tmpDir };
  const { counting, spawned } = countSpawns(jail);
  const times = { clock: systemClock, timers: systemTimers };
  const shared = { ...times, log, metrics, broker, config: configuration, jail: counting };
  return {
    jail,
    transcripts: new LaneTranscripts(deps),
    spawned,
    run(options = {}) {
      keepTemporaryFilesIn(tmpDir);
      const transcripts = new LaneTranscripts({ ...deps, store: options.store ?? store });
      if (options.trusting === true) transcripts.look = async () => ({ kind: "readable" });
      const agents = {
        ...shared,
        transcripts,
        mirrors: { mirror: () => ({ path: mirror }) } as never,
        sessions: () => sessions,
        streams: streamsTo(options.onRaw ?? (() => {})),
        streamed: () => {},
      };
      runs += 1;
      const signal = options.signal ?? new AbortController().signal;
      return runInJail(agents, requestOf(`run-${runs}` as RunId, options.prompt), signal);
    },
  };
}

function countSpawns(jail: Jail): { counting: Jail; spawned: () => number } {
  let count = 0;
  const counting = Object.create(jail) as Jail;
  counting.openLane = (...parameters) => jail.openLane(...parameters);
  counting.spawnAgent = (...parameters) => {
    count += 1;
    return jail.spawnAgent(...parameters);
  };
  return { counting, spawned: () => count };
}

const streamsTo = (onRaw: (json: string) => void): RunStreamStore => ({
  appendStream: async (_run, _seq, _at, json) => onRaw(json),
  stream: async () => [],
});

function restoring(name: string): () => void {
  const before = process.env[name];
  return () => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  };
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

const configuration = { agents: {}, model: { credential: { kind: "api-key" } } } as never;

function openBroker(url: string): Promise<Broker> {
  return startBroker({
    start: startProcess,
    command: [process.execPath, join(import.meta.dir, "../../broker/main.ts")],
    upstream: { baseUrl: url, socket: null },
    credential: { kind: "api-key", value: "sk-test" },
    timers: systemTimers,
    log: silent,
  });
}

function requestOf(run: RunId, prompt?: string): AgentRequest {
  const request: Omit<AgentRequest, "place"> & { place: unknown } = {
    place: {
      run: { id: run, lane },
      thread: { forge: "main", repositoryId: 1 },
      agent: {
        name: "dev",
        model: "claude-sonnet-4-5",
        tools: ["Bash", "Read", "Agent"],
        deadlineMs: 120_000,
        stallMs: 60_000,
      },
    },
    system: "AGENT-TYPE: dev",
    prompt: async (start) => prompt ?? (start.kind === "fresh" ? "FRESH, please" : "RESUMED, please"),
    live: { opened() {}, async told() {} },
  };
  return request as AgentRequest;
}
