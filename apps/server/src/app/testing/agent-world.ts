import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Model, type Script, startModel } from "@claude-hooks/model-sim";
import { agentBinary, scriptOf } from "../../agents/testing/places.ts";
import { type Broker, startBroker } from "../../broker/client.ts";
import type { LaneKey, RunId } from "../../domain/ids.ts";
import type { Log } from "../../domain/log.ts";
import type { AgentOutcome } from "../../domain/run.ts";
import { systemClock, systemTimers } from "../../infrastructure/clock.ts";
import type { Database } from "../../infrastructure/database/handle.ts";
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

export interface Machine {
  jail: Jail;
  transcripts: LaneTranscripts;
  spawned(): number;
  run(options?: {
    prompt?: string;
    signal?: AbortSignal;
    store?: TranscriptStore;
    onRaw?(json: string): void;
  }): Promise<AgentOutcome>;
}

/** What the service puts together for a run of an agent, with the real agent, jail and broker; the forge's side is left out. */
export async function openAgentWorld(
  folder: string,
  db: Database,
  turns: Script["agents"][number]["turns"],
): Promise<AgentWorld> {
  await using opened = new AsyncDisposableStack();
  const before = process.env["TMPDIR"];
  opened.defer(() => {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  });
  const model = opened.use(await startModel({ script: scriptOf(turns), apiKey: "sk-test" }));
  const broker = opened.use(await openBroker(model.url));
  const counted: string[] = [];
  const logged: string[] = [];
  const log: Log = { ...silent, warn: (_, text) => void logged.push(text), error: (_, text) => void logged.push(text) };
  const store = createTranscriptStore(db, { maxBytes: 32 * 1024 * 1024 });
  const sessions = createSessionStore(db, { maxAgeMs: 86_400_000 });
  const mirror = join(folder, "mirror.git");
  await mkdir(mirror, { recursive: true });
  let runs = 0;
  const metrics = {
    resumeFailure: (reason: string) => void counted.push(reason),
    transcriptFailure: (kind: string) => void counted.push(kind),
  };
  const rest = opened.move();
  return {
    model,
    store,
    sessions,
    counted,
    logged,
    async machine(name) {
      const home = join(folder, name);
      await mkdir(home, { recursive: true, mode: 0o755 });
      const jail = await testJail(home, { agentBinary });
      const tmpDir = join(home, "state", "tmp");
      const records = createSessionRecords(db);
      const deps = { store, records, timers: systemTimers, log, metrics, tmpDir };
      let spawned = 0;
      const spawning = Object.assign(Object.create(jail) as Jail, {
        openLane: jail.openLane.bind(jail),
        spawnAgent(...parameters: Parameters<Jail["spawnAgent"]>) {
          spawned += 1;
          return jail.spawnAgent(...parameters);
        },
      });
      return {
        jail,
        transcripts: new LaneTranscripts(deps),
        spawned: () => spawned,
        run({ prompt, signal, store: other, onRaw } = {}) {
          keepTemporaryFilesIn(tmpDir);
          runs += 1;
          return runInJail(
            {
              config: configuration,
              clock: systemClock,
              timers: systemTimers,
              log,
              metrics,
              transcripts: new LaneTranscripts({ ...deps, store: other ?? store }),
              jail: spawning,
              broker,
              mirrors: { mirror: () => ({ path: mirror }) } as never,
              sessions: () => sessions,
              streams: { appendStream: async (_run, _seq, _at, json) => onRaw?.(json), stream: async () => [] },
              streamed() {},
            },
            requestOf(`run-${runs}` as RunId, prompt),
            signal ?? new AbortController().signal,
          );
        },
      };
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
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
  return {
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
    prompts: {
      system: "AGENT-TYPE: dev",
      fresh: prompt ?? "FRESH, please",
      resumed: prompt ?? "RESUMED, please",
      told: [],
    },
    live: { opened() {}, async told() {} },
  } as unknown as AgentRequest;
}
