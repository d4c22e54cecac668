import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { checkAgentTools } from "./app/agent-tools.ts";
import { runInJail } from "./app/agents.ts";
import { type Assets, agentBinary, loadAssets } from "./app/assets.ts";
import { Events } from "./app/events.ts";
import { createForgeUsers, type ForgeUsers } from "./app/forges.ts";
import { type HttpParts, listen } from "./app/http.ts";
import { redactorFor } from "./app/log.ts";
import { createOutbox, effectChange } from "./app/outbox.ts";
import { createRuns } from "./app/runs.ts";
import { LaneTranscripts, maxTranscriptBytes } from "./app/transcripts.ts";
import { LaneWorkplaces } from "./app/workplaces.ts";
import { type Broker, startBroker } from "./broker/client.ts";
import type { Config } from "./config/config.ts";
import type { Log } from "./domain/log.ts";
import { OutboxWorker } from "./effects/worker.ts";
import { forges } from "./forges/registry.ts";
import { type Changes, createChanges } from "./infrastructure/changes.ts";
import { systemClock as clock, systemTimers as timers } from "./infrastructure/clock.ts";
import { createEffectStore } from "./infrastructure/database/effects.ts";
import type { Database } from "./infrastructure/database/handle.ts";
import { openDatabase } from "./infrastructure/database/open.ts";
import { createRunStream, type RunStreamStore } from "./infrastructure/database/run-stream.ts";
import { createSessionRecords } from "./infrastructure/database/session-records.ts";
import { createSessionStore, type SessionStore } from "./infrastructure/database/sessions.ts";
import { createTaskStore } from "./infrastructure/database/tasks.ts";
import { createTranscriptStore, type TranscriptStore } from "./infrastructure/database/transcripts.ts";
import { createEmbeddedDispatcher, type Dispatcher } from "./infrastructure/dispatcher/embedded.ts";
import { createGit } from "./infrastructure/git.ts";
import { createMetrics, type Metrics } from "./infrastructure/metrics.ts";
import { captureProcess, startProcess } from "./infrastructure/process.ts";
import { proxyEnvironment } from "./infrastructure/proxy-environment.ts";
import { keepTemporaryFilesIn } from "./infrastructure/temporary-folder.ts";
import { type Jail, openJail } from "./jail/jail.ts";
import type { Scheduler } from "./tasks/scheduler.ts";
import { Mirrors } from "./workdir/mirror.ts";

export interface Service {
  /** Where health and webhooks are answered. */
  host: string;
  port: number;
  /** Takes no more work, lets running agents finish for `shutdown_grace_ms`, then stops them: their tasks go on at the next start. */
  stop(): Promise<void>;
}

const fetchTimeoutMs = 10 * 60_000;
const lanes = 10_000;

/**
 * Puts the whole service together and starts it.
 * @throws whatever is wrong at start, with a message that says what to do; nothing is left running then.
 */
export async function startService(config: Config, log: Log): Promise<Service> {
  await using starting = new AsyncDisposableStack();
  const assets = loadAssets(config, Object.keys(config.agents));
  checkAgentTools(config);
  mkdirSync(config.stateDir, { recursive: true });
  const db = starting.use(
    await openDatabase(config.databaseUrl, { clock, log, limits: { maxQueued: config.limits.queuedDeliveries } }),
  );
  const jail = await openServiceJail(config);
  const { uidSeparation, reason } = jail.describe();
  log.info({ uidSeparation, reason }, "the jail holds");
  const broker = starting.use(await openBroker(config, log));
  const parts = assemble({ config, log, db, jail, broker, assets });
  await parts.transcripts.settleAll(await jail.listLanes());
  await parts.outboxWorker.start();
  starting.defer(() => parts.outboxWorker.stop());
  for (const lane of await parts.scheduler.recover()) parts.dispatcher.wake(lane, clock.now());
  parts.dispatcher.work((lane, signal) => parts.scheduler.handle(lane, signal));
  starting.defer(async () => void (await parts.dispatcher.stop(0)));
  const stopDraining = keepDraining(parts.events);
  starting.defer(stopDraining);
  const http = await listen({ ...parts, config, clock, log, db, jail, broker });
  starting.defer(() => http.stop());
  log.info({ host: http.host, port: http.port, repositories: config.repositories.length }, "listening for webhooks");
  const running = starting.move();
  return {
    host: http.host,
    port: http.port,
    async stop() {
      http.refuse();
      const left = await parts.dispatcher.stop(config.limits.shutdownGraceMs);
      if (left.length > 0) log.warn({ lanes: left }, "some runs did not end in time; they go on at the next start");
      await running.disposeAsync();
    },
  };
}

async function openServiceJail(config: Config): Promise<Jail> {
  const { jail, stateDir } = config;
  // The SDK and everything else that makes temporary files keeps to a folder that the sweeper knows.
  const tmpDir = tmpDirOf(config);
  const opened = await openJail(
    {
      stateDir,
      tmpDir,
      agentBinary: agentBinary(),
      ids: { base: jail.firstUid, count: lanes },
      limits: {
        processes: jail.processes,
        fileBytes: jail.fileSizeBytes,
        cpuSeconds: jail.cpuSeconds,
        openFiles: jail.openFiles,
        tmpBytes: jail.tmpBytes,
      },
      tools: jail.tools,
      readOnly: [],
    },
    { start: startProcess, capture: captureProcess },
  );
  // What the SDK lays out for a resume must lie where the jail expects it.
  keepTemporaryFilesIn(tmpDir);
  return opened;
}

const tmpDirOf = ({ stateDir }: Config): string => join(stateDir, "tmp");

async function openBroker({ model }: Config, log: Log): Promise<Broker> {
  return await startBroker({
    upstream: { baseUrl: model.baseUrl, socket: null },
    credential: model.credential,
    command: [process.execPath, join(import.meta.dir, "broker/main.ts")],
    start: (command, options) => startProcess(command, { ...options, env: { ...options.env, ...proxyEnvironment() } }),
    timers,
    log,
  });
}

interface Base {
  config: Config;
  log: Log;
  db: Database;
  jail: Jail;
  broker: Broker;
  assets: Assets;
}

interface Parts extends HttpParts {
  transcripts: LaneTranscripts;
  events: Events;
  scheduler: Scheduler;
  dispatcher: Dispatcher;
  outboxWorker: OutboxWorker;
  changes: Changes;
  metrics: Metrics;
  streams: RunStreamStore;
}

function assemble({ config, log, db, jail, broker, assets }: Base): Parts {
  const changes = createChanges(timers);
  const streams = createRunStream(db);
  const transcriptStore = createTranscriptStore(db, { maxBytes: maxTranscriptBytes });
  const metrics = createServiceMetrics(config, db, transcriptStore);
  const transcripts = new LaneTranscripts({
    store: transcriptStore,
    records: createSessionRecords(db),
    timers,
    log,
    metrics,
    tmpDir: tmpDirOf(config),
  });
  broker.onRequest((report) => metrics.modelRequest(report.status));
  const redact = redactorFor(config);
  const users = createForgeUsers(config, ({ id, kind, url }, user) =>
    forges[kind].connect({ forge: id, baseUrl: url, ...user }),
  );
  const dispatcher = createServiceDispatcher(config, log, db);
  const outboxWorker = createOutboxWorker({ db, log, users, changes, metrics });
  const group = jail.lanesGroup;
  const mirrors = new Mirrors(createGit(), { folder: join(config.stateDir, "mirrors"), group, fetchTimeoutMs });
  const sessions = sessionStores(config, db);
  const streamed = (run: string): void => changes.notify(`run:${run}`);
  const scheduler = createRuns({
    config,
    clock,
    timers,
    log,
    db,
    metrics,
    users,
    redact,
    skills: () => assets.skills,
    workplaces: new LaneWorkplaces({
      clock,
      config,
      jail,
      mirrors,
      forgeOf: ({ thread, agent }) => users.as(thread.forge, agent.name),
      // Looked at without asking for it: asking drops an expired one, and its reason with it.
      keepsUnfinished: async ({ run }) => (await createSessionRecords(db).get(run.lane)) !== null,
    }),
    outbox: createOutbox({ clock, effects: createEffectStore(db), changes, wake: () => outboxWorker.wake() }),
    runAgent: (request, signal) =>
      runInJail(
        { config, clock, timers, log, metrics, transcripts, jail, broker, mirrors, sessions, streams, streamed },
        request,
        signal,
      ),
    wake: (lane, at) => dispatcher.wake(lane, at),
    changed: streamed,
  });
  const wake = (lane: Parameters<Dispatcher["wake"]>[0]): void => dispatcher.wake(lane, clock.now());
  const events = new Events({ config, clock, log, db, users, flows: () => assets.flows, wake });
  return { events, transcripts, scheduler, dispatcher, outboxWorker, changes, metrics, streams, redact };
}

function createServiceDispatcher(config: Config, log: Log, db: Database): Dispatcher {
  const tasks = createTaskStore(db);
  const { concurrentRuns } = config.limits;
  return createEmbeddedDispatcher({
    clock,
    timers,
    log,
    concurrency: concurrentRuns,
    due: async () =>
      (await tasks.due(clock.now(), concurrentRuns * 4)).map(({ lane, nextDueAt }) => ({ lane, at: nextDueAt })),
  });
}

interface OutboxParts {
  db: Database;
  log: Log;
  users: ForgeUsers;
  changes: Changes;
  metrics: Metrics;
}

function createOutboxWorker({ db, log, users, changes, metrics }: OutboxParts): OutboxWorker {
  return new OutboxWorker({
    clock,
    timers,
    log,
    effects: createEffectStore(db),
    forgeFor: ({ forge, author }) => users.as(forge, author),
    repository: ({ forge, repositoryId }) => users.service(forge).repository(repositoryId),
    random: Math.random,
    onEnd(effect, state) {
      metrics.effect(effect.body.kind, state);
      changes.notify(effectChange(effect.key));
    },
  });
}

function createServiceMetrics(config: Config, db: Database, transcripts: TranscriptStore): Metrics {
  const tasks = createTaskStore(db);
  const effects = createEffectStore(db);
  const ages = Object.values(config.agents).map(({ sessionMaxAgeMs }) => sessionMaxAgeMs ?? config.sessionMaxAgeMs);
  const sessions = createSessionStore(db, { maxAgeMs: Math.max(config.sessionMaxAgeMs, ...ages) });
  return createMetrics({
    runningRuns: async () => (await tasks.running()).length,
    queuedTasks: async () => (await tasks.list({ state: "queued", limit: 10_000 })).length,
    parkedEffects: async () => (await effects.parked()).length,
    liveSessions: async () => (await sessions.listLiveSessionIds()).length,
    transcriptBytes: () => transcripts.totalBytes(),
  });
}

/** One store for each maximum age that the configuration names. */
function sessionStores(config: Config, db: Database): (agent: string) => SessionStore {
  const stores = new Map<number, SessionStore>();
  return (agent) => {
    const maxAgeMs = config.agents[agent]?.sessionMaxAgeMs ?? config.sessionMaxAgeMs;
    const store = stores.get(maxAgeMs) ?? createSessionStore(db, { maxAgeMs });
    stores.set(maxAgeMs, store);
    return store;
  };
}

const drainEveryMs = 1_000;

/** Looks at stored deliveries once a second beside the wake-ups of the webhook: what a crash or a fault left is found so. */
function keepDraining(events: Events): () => Promise<void> {
  let stopped = false;
  let cancel = (): void => {};
  let work = Promise.resolve();
  const look = (): void => {
    work = events.drain().finally(() => {
      if (!stopped) cancel = timers.after(drainEveryMs, look);
    });
  };
  look();
  return async () => {
    stopped = true;
    cancel();
    await work;
  };
}
