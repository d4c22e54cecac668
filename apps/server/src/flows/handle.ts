import type { ForgeEvent } from "../domain/event.ts";
import type { Decision, Dispatch, MatchFacts } from "../domain/flow.ts";
import { ForgeError, type Permission } from "../domain/forge.ts";
import type { EventId, ThreadId } from "../domain/ids.ts";
import type { Log } from "../domain/log.ts";
import { decide, type KnownFacts, neededFacts } from "./decide.ts";
import type { Flow } from "./flow.ts";

export interface HandlerDeps {
  log: Log;
  flows(): readonly Flow[];
  /** What can be told of an event without asking anybody. */
  knownFacts(event: ForgeEvent): Promise<KnownFacts>;
  /** Live, by the forge. Rejects with a ForgeError where it cannot be asked. */
  permission(event: ForgeEvent): Promise<Permission>;
  events: { get(id: EventId): Promise<ForgeEvent | null>; undecided(limit: number): Promise<ForgeEvent[]> };
  /** In one transaction: facts and decisions go on record, the event into the lanes' inboxes, and tasks into their queues. */
  record(decided: Decided): Promise<void>;
}

export interface Decided {
  event: ForgeEvent;
  facts: MatchFacts;
  decisions: readonly Decision[];
  /** At most one for each agent type: a lane is told of an event once. */
  dispatches: readonly (Dispatch & { thread: ThreadId })[];
}

const page = 100;
const maxLooks = 3;

const unknownFacts: MatchFacts = {
  actorPermission: null,
  permissionError: null,
  actorIsOurs: false,
  mentionedAgents: [],
  assignedAgent: null,
  thread: null,
};

/**
 * Tries every flow on every event that none has been tried on, in order, and puts what came of it on record. An event
 * that was stored before a crash is found again; one that meets an unexpected error is left for the next look.
 */
export class EventHandler {
  readonly #deps: HandlerDeps;
  #work: Promise<void> = Promise.resolve();
  #again = false;
  readonly #failures = new Map<EventId, number>();

  constructor(deps: HandlerDeps) {
    this.#deps = deps;
  }

  /** Resolves when no undecided event is left; calls while it works are gathered into one more look. */
  async drain(): Promise<void> {
    if (this.#again) return await this.#work;
    this.#again = true;
    this.#work = this.#work.then(
      () => this.#look(),
      () => this.#look(),
    );
    return await this.#work;
  }

  async #look(): Promise<void> {
    this.#again = false;
    for (;;) {
      const events = await this.#deps.events.undecided(page);
      let decided = 0;
      for (const event of events) if (await this.#tried(event)) decided += 1;
      if (events.length < page || decided === 0) return;
    }
  }

  /** An event that cannot be decided after some looks goes on record as such: it must not hold up the others for ever. */
  async #tried(event: ForgeEvent): Promise<boolean> {
    try {
      await this.#handle(event);
      this.#failures.delete(event.id);
      return true;
    } catch (error) {
      const failures = (this.#failures.get(event.id) ?? 0) + 1;
      this.#deps.log.error({ eventId: event.id, failures, error }, "event could not be decided");
      this.#failures.set(event.id, failures);
      if (failures < maxLooks) return false;
      this.#failures.delete(event.id);
      const why = `it could not be decided: ${error instanceof Error ? error.message : String(error)}`;
      const decisions: Decision[] = this.#deps
        .flows()
        .map(({ name }) => ({ flow: name, matched: false, why, saw: {} }));
      await this.#deps.record({ event, facts: unknownFacts, decisions, dispatches: [] });
      return true;
    }
  }

  async #handle(event: ForgeEvent): Promise<void> {
    const known = await this.#deps.knownFacts(event);
    const facts: MatchFacts = { ...known, ...(await this.#permission(event, known)) };
    const decisions = decide(event, facts, this.#deps.flows());
    const dispatches = dispatchesOf(event, decisions);
    await this.#deps.record({ event, facts, decisions, dispatches });
    const matched = decisions.filter((decision) => decision.matched).map((decision) => decision.flow);
    this.#deps.log.info({ eventId: event.id, deliveryId: event.delivery, event: event.kind, matched }, "event decided");
  }

  async #permission(
    event: ForgeEvent,
    known: KnownFacts,
  ): Promise<Pick<MatchFacts, "actorPermission" | "permissionError">> {
    if (!neededFacts(event, known, this.#deps.flows()).actorPermission)
      return { actorPermission: null, permissionError: null };
    try {
      return { actorPermission: await this.#deps.permission(event), permissionError: null };
    } catch (error) {
      if (!(error instanceof ForgeError)) throw error;
      this.#deps.log.warn(
        { eventId: event.id, actor: event.actor.login, error },
        "permission could not be asked; it counts as none",
      );
      return { actorPermission: null, permissionError: error.message };
    }
  }
}

function dispatchesOf(event: ForgeEvent, decisions: readonly Decision[]): Decided["dispatches"] {
  const { thread } = event;
  if (thread === null) return [];
  const byAgent = new Map<string, Dispatch & { thread: ThreadId }>();
  for (const dispatch of decisions.flatMap((decision) => (decision.matched ? decision.dispatches : []))) {
    if (!byAgent.has(dispatch.agentType)) byAgent.set(dispatch.agentType, { ...dispatch, thread });
  }
  return [...byAgent.values()];
}
