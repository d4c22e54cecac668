import type { Config } from "../config/config.ts";
import type { ForgeEvent } from "../domain/event.ts";
import type { Lane } from "../domain/lane.ts";
import type { Log } from "../domain/log.ts";
import type { Timers } from "../domain/timers.ts";
import { createIngest, type Ingest } from "../events/ingest.ts";
import type { Flow } from "../flows/flow.ts";
import { EventHandler } from "../flows/handle.ts";
import { forges } from "../forges/registry.ts";
import { createEventStore } from "../infrastructure/database/events.ts";
import type { Database } from "../infrastructure/database/handle.ts";
import { createIngestStore } from "../infrastructure/database/ingest.ts";
import { createLaneStore } from "../infrastructure/database/lanes.ts";
import { createThreadStore } from "../infrastructure/database/threads.ts";
import { newId } from "../infrastructure/ids.ts";
import type { LiveRuns } from "../runs/live.ts";
import { mentions } from "../security/mentions.ts";
import { type DecidedDeps, recordDecided, statusOf } from "./decided.ts";
import { knownFacts } from "./facts.ts";
import type { ForgeUsers } from "./forges.ts";

const drainEveryMs = 1_000;

export interface EventsDeps extends DecidedDeps {
  config: Pick<Config, "forges" | "agents" | "limits">;
  timers: Timers;
  log: Log;
  users: ForgeUsers;
  live: LiveRuns;
  flows(): readonly Flow[];
}

/** From stored deliveries to queued tasks: normalise, decide, record. */
export class Events {
  readonly #ingest: Ingest;
  readonly #handler: EventHandler;
  readonly #log: Log;
  readonly #timers: Timers;

  constructor(deps: EventsDeps) {
    this.#log = deps.log;
    this.#timers = deps.timers;
    this.#ingest = createIngest({
      store: createIngestStore(deps.db),
      normalise: (delivery, payload) => {
        const { forge, event, eventType } = delivery;
        const kind = deps.config.forges[forge]?.kind;
        if (kind === undefined)
          return { kind: "no-interest", reason: `the forge "${forge}" is not configured any more` };
        return forges[kind].normalise({ forge, event, eventType, payload });
      },
      newEventId: newId.event,
      newThreadId: newId.thread,
      onEvents: () => {},
      onFault: ({ delivery, failed, reason, cause }) =>
        deps.log.error({ deliveryId: delivery, failed, reason, error: cause }, "delivery could not be normalised"),
    });
    this.#handler = createHandler(deps);
  }

  /** Works off everything that is stored and not done; what fails is on record or tried at the next call. */
  async drain(): Promise<void> {
    try {
      await this.#ingest.drain();
      await this.#handler.drain();
    } catch (error) {
      this.#log.error({ error }, "stored deliveries could not be worked off; it is tried again in a moment");
    }
  }

  /** Looks at stored deliveries once a second beside the wake-ups of the webhook: what a crash or a fault left is found so. */
  keepDraining(): () => Promise<void> {
    let stopped = false;
    let cancel = (): void => {};
    let work = Promise.resolve();
    const look = (): void => {
      work = this.drain().finally(() => {
        if (!stopped) cancel = this.#timers.after(drainEveryMs, look);
      });
    };
    look();
    return async () => {
      stopped = true;
      cancel();
      await work;
    };
  }
}

function createHandler(deps: EventsDeps): EventHandler {
  const { db, users, log } = deps;
  const threads = createThreadStore(db);
  const events = createEventStore(db);
  return new EventHandler({
    log,
    flows: () => deps.flows(),
    events,
    knownFacts: async (event, involvedAgents) => {
      const thread = event.thread === null ? null : await threads.get(event.thread);
      const known = knownFacts(event, thread, users, (text) => mentions(text).logins);
      return { ...known, involvedAgents: [...involvedAgents] };
    },
    lanes: (event) => lanesOf(db, event),
    status: (lane) => statusOf(db, deps.live, lane),
    permission: (event) => users.service(event.repository.forge).permission(event.repository.name, event.actor.login),
    record: (decided) => recordDecided(deps, decided),
  });
}

async function lanesOf(db: Database, event: ForgeEvent): Promise<Lane[]> {
  const lanes = createLaneStore(db);
  if (event.thread !== null) return await lanes.ofThread(event.thread);
  if (event.kind !== "push" && event.kind !== "ci.completed") return [];
  return await lanes.ofBranch(event.repository.forge, event.repository.id, event.branch);
}
