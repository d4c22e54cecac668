import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { checkAgentTools } from "./app/agent-tools.ts";
import { runInJail } from "./app/agents.ts";
import { type Assets, agentBinary, loadAssets } from "./app/assets.ts";
import { Events } from "./app/events.ts";
import { createForgeUsers, type ForgeUsers } from "./app/forges.ts";
import { historyIn } from "./app/history.ts";
import { type HttpParts, listen } from "./app/http.ts";
import { createLaneKeeping, type LaneKeeping, tmpDirOf } from "./app/lane-keeping.ts";
import { redactorFor } from "./app/log.ts";
import { createOutbox, effectChange } from "./app/outbox.ts";
import { createRuns } from "./app/runs.ts";
import { createSessionStores, type SessionStores } from "./app/session-stores.ts";
import { maxTranscriptBytes } from "./app/transcripts.ts";
import { type Broker, startBroker } from "./broker/client.ts";
import type { Config } from "./config/config.ts";
import type { LaneKey } from "./domain/ids.ts";
import type { Log } from "./domain/log.ts";
import { OutboxWorker } from "./effects/worker.ts";
import { forges } from "./forges/registry.ts";
import { type Changes, createChanges } from "./infrastructure/changes.ts";
import { systemClock as clock, systemTimers as timers } from "./infrastructure/clock.ts";
import { createEffectStore } from "./infrastructure/database/effects.ts";
import type { Database } from "./infrastructure/database/handle.ts";
import { openDatabase } from "./infrastructure/database/open.ts";
import { createRunStream, type RunStreamStore } from "./infrastructure/database/run-stream.ts";
import { createTaskStore } from "./infrastructure/database/tasks.ts";
import { createTranscriptStore, type TranscriptStore } from "./infrastructure/database/transcripts.ts";
import { createEmbeddedDispatcher, type Dispatcher } from "./infrastructure/dispatcher/embedded.ts";
import { lockFolder } from "./infrastructure/folder-lock.ts";
import { killLeftovers } from "./infrastructure/leftovers.ts";
import { createMetrics, type Metrics } from "./infrastructure/metrics.ts";
import { captureProcess, startProcess } from "./infrastructure/process.ts";
import { proxyEnvironment } from "./infrastructure/proxy-environment.ts";
import { keepTemporaryFilesIn } from "./infrastructure/temporary-folder.ts";
import { type Jail, openJail } from "./jail/jail.ts";
import { LiveRuns } from "./runs/live.ts";
import type { Scheduler } from "./tasks/scheduler.ts";

export interface Service {
  /** Where health and webhooks are answered. */
  host: string;
  port: number;
  /** Takes over what can change while it runs: the ages of sessions and the time of retention. */
  apply(config: Config): void;
  /** Takes no more work, lets running agents finish for `shutdown_grace_ms`, then stops them: their tasks go on at the next start. */
  stop(): Promise<void>;
}

const laneIds = 10_000;
/** How long what is due for the forge may still be sent at the end. */
const lastEffectsMs = 3_000;

/**
 * Puts the whole service together and starts it.
 * @throws whatever is wrong at start, with a message that says what to do; nothing is left running then.
 */
export async function startService(config: Config, log: Log): Promise<Service> {
  await using starting = new AsyncDisposableStack();
  const assets = loadAssets(config, Object.keys(config.agents));
  checkAgentTools(config);
  mkdirSync(config.stateDir, { recursive: true });
  starting.use(lockFolder(config.stateDir));
  const db = starting.use(
    await openDatabase(config.databaseUrl, { clock, log, limits: { maxQueued: config.limits.queuedDeliveries } }),
  );
  const leftovers = killLeftovers(config.stateDir);
  if (leftovers > 0) log.warn({ leftovers }, "jails that an earlier service left half made were ended");
  const jail = await openServiceJail(config);
  const { uidSeparation, reason } = jail.describe();
  log.info({ uidSeparation, reason }, "the jail holds");
  const broker = starting.use(await openBroker(config, log));
  const parts = assemble({ config, log, db, jail, broker, assets });
  await starting.use(parts.lanes).start();
  await parts.outboxWorker.start();
  starting.defer(() => parts.outboxWorker.stop());
  for (const lane of await parts.scheduler.recover()) parts.dispatcher.wake(lane, clock.now());
  parts.dispatcher.work((lane, signal) => parts.scheduler.handle(lane, signal));
  starting.defer(async () => void (await parts.dispatcher.stop(0)));
  parts.lanes.sweeper.start();
  starting.defer(parts.events.keepDraining());
  const http = await listen({ ...parts, config, clock, log, db, jail, broker });
  starting.defer(() => http.stop());
  log.info({ host: http.host, port: http.port, repositories: config.repositories.length }, "listening for webhooks");
  const running = starting.move();
  return {
    host: http.host,
    port: http.port,
    apply: (next) => parts.lanes.apply(next),
    async stop() {
      http.refuse();
      const left = await parts.dispatcher.stop(config.limits.shutdownGraceMs);
      if (left.length > 0) log.warn({ lanes: left }, "some runs did not end in time; they go on at the next start");
      await parts.outboxWorker.finish(lastEffectsMs);
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
      ids: { base: jail.firstUid, count: laneIds },
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
  events: Events;
  lanes: LaneKeeping;
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
  const sessions = createSessionStores(config, db);
  const metrics = createServiceMetrics(db, sessions, transcriptStore);
  broker.onRequest((report) => metrics.modelRequest(report.status));
  const redact = redactorFor(config);
  const users = createForgeUsers(config, ({ id, kind, url }, user) =>
    forges[kind].connect({ forge: id, baseUrl: url, ...user }),
  );
  const dispatcher = createServiceDispatcher(config, log, db);
  const outboxWorker = createOutboxWorker({ db, log, users, changes, metrics });
  const live = new LiveRuns();
  const wake = (lane: LaneKey, at: number): void => dispatcher.wake(lane, at);
  const base = { config, clock, timers, log, db, users };
  const wakeNow = (lane: LaneKey): void => wake(lane, clock.now());
  const lanes = createLaneKeeping({ ...base, jail, broker, metrics, sessions, transcriptStore, wake: wakeNow });
  const { mirrors, transcripts } = lanes;
  const streamed = (run: string): void => changes.notify(`run:${run}`);
  const agents = { ...base, metrics, transcripts, jail, broker, mirrors, streams, streamed };
  const common = { ...base, live, wake };
  const scheduler = createRuns({
    ...common,
    metrics,
    redact,
    skills: () => assets.skills,
    workplaces: lanes.workplaces,
    outbox: createOutbox({ clock, effects: createEffectStore(db), changes, wake: () => outboxWorker.wake() }),
    history: historyIn(mirrors),
    runAgent: (request, signal) =>
      lanes.stops.during(request.place.run.lane, signal, (ending) =>
        runInJail({ ...agents, sessions: (agent) => sessions.of(agent) }, request, ending),
      ),
    changed: streamed,
  });
  const events = new Events({
    ...common,
    flows: () => assets.flows,
    ended: () => lanes.sweeper.tidySoon(),
    wakeOutbox: () => outboxWorker.wake(),
  });
  return { events, lanes, scheduler, dispatcher, outboxWorker, changes, metrics, streams, redact };
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

function createServiceMetrics(db: Database, sessions: SessionStores, transcripts: TranscriptStore): Metrics {
  const tasks = createTaskStore(db);
  const effects = createEffectStore(db);
  return createMetrics({
    runningRuns: async () => (await tasks.running()).length,
    queuedTasks: async () => (await tasks.list({ state: "queued", limit: 10_000 })).length,
    parkedEffects: async () => (await effects.parked()).length,
    liveSessions: async () => (await sessions.largest().listLiveSessionIds()).length,
    transcriptBytes: () => transcripts.totalBytes(),
  });
}
