import type { Config } from "../config/config.ts";
import type { Clock, LaneKey } from "../domain/ids.ts";
import { laneKey } from "../domain/ids.ts";
import type { Log } from "../domain/log.ts";
import { createIngest, type Ingest } from "../events/ingest.ts";
import type { Flow } from "../flows/flow.ts";
import { EventHandler } from "../flows/handle.ts";
import { forges } from "../forges/registry.ts";
import { createEventStore } from "../infrastructure/database/events.ts";
import type { Database } from "../infrastructure/database/handle.ts";
import { createInboxStore } from "../infrastructure/database/inbox.ts";
import { createIngestStore } from "../infrastructure/database/ingest.ts";
import { createTaskStore } from "../infrastructure/database/tasks.ts";
import { createThreadStore } from "../infrastructure/database/threads.ts";
import { newId } from "../infrastructure/ids.ts";
import { mentions } from "../security/mentions.ts";
import { noteEnd } from "./ends.ts";
import { knownFacts } from "./facts.ts";
import type { ForgeUsers } from "./forges.ts";

export interface EventsDeps {
  config: Pick<Config, "forges" | "agents">;
  clock: Clock;
  log: Log;
  db: Database;
  users: ForgeUsers;
  flows(): readonly Flow[];
  /** A lane has something to do. */
  wake(lane: LaneKey): void;
  /** A thread's work has ended. */
  ended(): void;
}

/** From stored deliveries to queued tasks: normalise, decide, record. */
export class Events {
  readonly #ingest: Ingest;
  readonly #handler: EventHandler;
  readonly #log: Log;

  constructor(deps: EventsDeps) {
    this.#log = deps.log;
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
}

function createHandler(deps: EventsDeps): EventHandler {
  const { db, users, log, clock } = deps;
  const threads = createThreadStore(db);
  const events = createEventStore(db);
  return new EventHandler({
    log,
    flows: () => deps.flows(),
    events,
    knownFacts: async (event) => {
      const thread = event.thread === null ? null : await threads.get(event.thread);
      return knownFacts(event, thread, users, (text) => mentions(text).logins);
    },
    permission: (event) => users.service(event.repository.forge).permission(event.repository.name, event.actor.login),
    async record({ event, facts, decisions, dispatches }) {
      const lanes: LaneKey[] = [];
      let ended = false;
      await db.transaction(async (tx) => {
        await createEventStore(tx).saveDecisions(event.id, facts, decisions);
        for (const { agentType, skill, thread } of dispatches) {
          const lane = laneKey(agentType, thread);
          await createInboxStore(tx).add(lane, event.id);
          await createTaskStore(tx).enqueue({ lane, agentType, thread, skill, cause: event.id, dueAt: clock.now() });
          lanes.push(lane);
        }
        ended = await noteEnd(tx, deps.config, event);
        await createEventStore(tx).markDecided(event.id);
      });
      if (ended) deps.ended();
      for (const lane of lanes) deps.wake(lane);
    },
  });
}
