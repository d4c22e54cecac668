import { join } from "node:path";
import type { Status } from "@claude-hooks/api";
import type { Broker } from "../broker/client.ts";
import type { Config } from "../config/config.ts";
import type { Clock } from "../domain/ids.ts";
import type { Log } from "../domain/log.ts";
import { forges } from "../forges/registry.ts";
import { createApi } from "../http/api.ts";
import { createPublicApp } from "../http/public.ts";
import type { SessionDesk, TakeoverDesk } from "../http/sessions.ts";
import type { Changes } from "../infrastructure/changes.ts";
import { systemTimers as timers } from "../infrastructure/clock.ts";
import { createDeliveryWriter } from "../infrastructure/database/deliveries.ts";
import { createEffectStore } from "../infrastructure/database/effects.ts";
import { QueueFull } from "../infrastructure/database/errors.ts";
import type { Database } from "../infrastructure/database/handle.ts";
import { createReading } from "../infrastructure/database/reading.ts";
import type { RunStreamStore } from "../infrastructure/database/run-stream.ts";
import { createTaskStore } from "../infrastructure/database/tasks.ts";
import { newId } from "../infrastructure/ids.ts";
import type { Metrics } from "../infrastructure/metrics.ts";
import type { Jail } from "../jail/jail.ts";
import type { Redact } from "../security/redact.ts";
import { createWebhookHandler, type WebhookHandler } from "../webhook/receive.ts";
import type { Events } from "./events.ts";
import { listenSocket, listenTcp } from "./servers.ts";
import { version } from "./version.ts";

export interface HttpParts {
  events: Events;
  changes: Changes;
  metrics: Metrics;
  streams: RunStreamStore;
  redact: Redact;
  lanes: { desk: SessionDesk; takeovers: TakeoverDesk };
}

interface HttpDeps extends HttpParts {
  config: Config;
  clock: Clock;
  log: Log;
  db: Database;
  jail: Jail;
  broker: Pick<Broker, "state">;
}

interface Listening {
  host: string;
  port: number;
  /** From now on health answers 503 and webhooks are refused: the service stops. */
  refuse(): void;
  stop(): Promise<void>;
}

/** TCP for health and webhooks, the unix socket for everything that reads. */
export async function listen(deps: HttpDeps): Promise<Listening> {
  const { config, metrics, db } = deps;
  let stopping = false;
  const webhook = createWebhook(deps);
  const socket = listenSocket(createApi(apiDeps(deps)), join(config.stateDir, "api.sock"));
  const app = createPublicApp({
    metrics: config.listen.metrics ? () => metrics.render() : null,
    async webhook(request, forge, hook) {
      if (stopping)
        return Response.json({ error: "the service is stopping; send it again in a minute" }, { status: 503 });
      return await webhook(request, forge, hook);
    },
    async healthy() {
      if (stopping) return { ok: false, detail: { reason: "stopping" } };
      try {
        await createTaskStore(db).nextDueAt();
        return { ok: true, detail: { version } };
      } catch {
        return { ok: false, detail: { reason: "the database does not answer" } };
      }
    },
  });
  try {
    const tcp = listenTcp(app, config.listen);
    return {
      host: tcp.host,
      port: tcp.port,
      refuse() {
        stopping = true;
      },
      async stop() {
        await Promise.all([tcp.stop(), socket.stop()]);
      },
    };
  } catch (error) {
    await socket.stop();
    throw error;
  }
}

function apiDeps({
  lanes,
  broker,
  clock,
  db,
  jail,
  streams,
  metrics,
  changes,
  redact,
}: HttpDeps): Parameters<typeof createApi>[0] {
  const startedAt = clock.now();
  return {
    sessions: lanes.desk,
    takeovers: lanes.takeovers,
    reading: createReading(db, streams),
    metrics: () => metrics.render(),
    redact,
    streamed: (run) => changes.next(`run:${run}`, 1_000),
    async status(): Promise<Status> {
      const tasks = createTaskStore(db);
      const { uidSeparation, reason } = jail.describe();
      return {
        version,
        started_at: startedAt,
        running: (await tasks.running()).length,
        queued: (await tasks.list({ state: "queued", limit: 1_000 })).length,
        parked_effects: (await createEffectStore(db).parked()).length,
        broker: broker.state(),
        jail: { kind: "bwrap", uid_separation: uidSeparation ? "yes" : "no", reason },
      };
    },
  };
}

function createWebhook({ config, clock, log, db, metrics, events }: HttpDeps): WebhookHandler {
  const hooks = new Map(
    config.repositories.map((repository) => [`${repository.forge}/${repository.hookId}`, repository]),
  );
  const writer = createDeliveryWriter(db);
  return createWebhookHandler({
    clock,
    timers,
    newDeliveryId: newId.delivery,
    store: (delivery) => writer.add(delivery),
    isQueueFull: (error) => error instanceof QueueFull,
    hook(forge, hookId) {
      const repository = hooks.get(`${forge}/${hookId}`);
      const kind = config.forges[forge]?.kind;
      if (repository === undefined || kind === undefined) return null;
      return {
        forge: repository.forge,
        hookId,
        repositoryId: repository.id,
        secrets: [repository.hookSecret],
        secretSource: repository.hookSecretSource,
        format: forges[kind],
      };
    },
    onAnswer({ status, error, delivery, duplicate, cause, forge, hookId }) {
      const result = status === 202 ? (duplicate ? "duplicate" : "accepted") : "refused";
      metrics.deliveries(result);
      if (status !== 202) log.warn({ forge, hookId, status, reason: error, error: cause }, "delivery refused");
      if (status !== 202) return;
      log.info({ forge, hookId, deliveryId: delivery, duplicate }, "delivery stored");
      void events.drain();
    },
  });
}
