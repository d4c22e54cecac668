import type { ForgeEvent } from "../domain/event.ts";
import type { Decision, Dispatch, MatchFacts } from "../domain/flow.ts";
import { ForgeError, type Permission } from "../domain/forge.ts";
import type { EventId, LaneKey, ThreadId } from "../domain/ids.ts";
import type { Lane, LaneAct, LaneStatus } from "../domain/lane.ts";
import type { Log } from "../domain/log.ts";
import { type Answer, answerCommands, commandsIn, hasCommand } from "./commands/answer.ts";
import { decide, type KnownFacts, neededFacts } from "./decide.ts";
import type { Flow } from "./flow.ts";
import { canGather, laneDecisions, lanesToTell } from "./lane-events.ts";

export interface HandlerDeps {
  log: Log;
  flows(): readonly Flow[];
  /** What can be told of an event without asking anybody; `involved` are the agent types of its lanes. */
  knownFacts(event: ForgeEvent, involved: readonly string[]): Promise<KnownFacts>;
  /** The lanes of the event's thread, or of the branch that it is about. */
  lanes(event: ForgeEvent): Promise<readonly Lane[]>;
  status(lane: Lane): Promise<LaneStatus>;
  /** Live, by the forge. Rejects with a ForgeError where it cannot be asked. */
  permission(event: ForgeEvent): Promise<Permission>;
  events: { get(id: EventId): Promise<ForgeEvent | null>; undecided(limit: number): Promise<ForgeEvent[]> };
  /**
   * In one transaction: facts and decisions go on record, the event into the lanes' inboxes, tasks into their queues, and
   * what was commanded is done. Whoever works in these lanes hears of it afterwards.
   */
  record(decided: Decided): Promise<void>;
}

export interface Decided {
  event: ForgeEvent;
  facts: MatchFacts;
  decisions: readonly Decision[];
  /** At most one for each agent type: a lane is told of an event once. */
  dispatches: readonly Work[];
  /** Lanes that are told of it beside those of `dispatches`. */
  inboxes: readonly LaneKey[];
  acts: readonly LaneAct[];
  /** How the comment's commands are acknowledged. */
  reaction: "+1" | "confused" | null;
  /** Why commands were refused; empty where none was. */
  refusals: readonly string[];
}

export interface Work extends Dispatch {
  thread: ThreadId;
  /** It may wait a moment for more of the same. */
  gathers: boolean;
}

const page = 100;
const maxLooks = 3;

const unknownFacts: MatchFacts = {
  actorPermission: null,
  permissionError: null,
  actorIsOurs: false,
  mentionedAgents: [],
  assignedAgent: null,
  involvedAgents: [],
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
      await this.#deps.record({ ...nothing, event, facts: unknownFacts, decisions });
      return true;
    }
  }

  async #handle(event: ForgeEvent): Promise<void> {
    const lanes = await this.#deps.lanes(event);
    const known = await this.#deps.knownFacts(event, [...new Set(lanes.map(({ agentType }) => agentType))]);
    const told = lanesToTell(event, known, lanes);
    const commands = known.actorIsOurs ? noCommands : commandsIn(event);
    const asked = told.length > 0 || hasCommand(commands);
    const facts: MatchFacts = { ...known, ...(await this.#permission(event, known, asked)) };
    const statuses = await Promise.all(lanes.map((lane) => this.#deps.status(lane)));
    const answer = answerCommands(commands, facts, event.actor.login, statuses);
    const decided = decidedOf(event, facts, answer, this.#deps.flows(), {
      told: statuses.filter(({ key }) => told.some((lane) => lane.key === key)),
    });
    await this.#deps.record(decided);
    const matched = decided.decisions.filter((decision) => decision.matched).map((decision) => decision.flow);
    this.#deps.log.info({ eventId: event.id, deliveryId: event.delivery, event: event.kind, matched }, "event decided");
  }

  async #permission(
    event: ForgeEvent,
    known: KnownFacts,
    asked: boolean,
  ): Promise<Pick<MatchFacts, "actorPermission" | "permissionError">> {
    if (!asked && !neededFacts(event, known, this.#deps.flows()).actorPermission)
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

const noCommands = { lines: [], alone: false };
const nothing = { dispatches: [], inboxes: [], acts: [], reaction: null, refusals: [] } as const;

function decidedOf(
  event: ForgeEvent,
  facts: MatchFacts,
  answer: Answer,
  flows: readonly Flow[],
  { told }: { told: readonly LaneStatus[] },
): Decided {
  const { acts, refusals, acknowledgement } = answer;
  const reaction = acknowledgement === null ? null : acknowledgement === "done" ? "+1" : "confused";
  if (answer.alone) {
    const why = "the comment is a command and nothing else";
    const idle = flows.map(({ name }): Decision => ({ flow: name, matched: false, why, saw: {} }));
    return {
      event,
      facts,
      decisions: [...answer.decisions, ...idle],
      dispatches: [],
      inboxes: [],
      acts,
      reaction,
      refusals,
    };
  }
  const byFlow = decide(event, facts, flows).map((decision) => (answer.quiet ? quieted(decision) : decision));
  const started = byFlow.flatMap((decision) => (decision.matched ? decision.dispatches : []));
  const untold = told.filter(({ agentType }) => !started.some((dispatch) => dispatch.agentType === agentType));
  const inInboxes = laneDecisions(event, facts, answer.quiet ? untold.map(atRest) : untold);
  return {
    event,
    facts,
    decisions: [...answer.decisions, ...byFlow, ...inInboxes],
    dispatches: workOf(event, facts, [...byFlow, ...inInboxes]),
    inboxes: told.map(({ key }) => key),
    acts,
    reaction,
    refusals,
  };
}

/** Its run is being stopped by the same comment. */
const atRest = (status: LaneStatus): LaneStatus => ({ ...status, run: null });

function quieted({ flow, matched, why, saw }: Decision): Decision {
  return {
    flow,
    matched: false,
    why: matched ? `${why}; not started, since the same comment stops the work` : why,
    saw,
  };
}

function workOf(event: ForgeEvent, facts: MatchFacts, decisions: readonly Decision[]): Work[] {
  const { thread } = event;
  if (thread === null) return [];
  const byAgent = new Map<string, Work>();
  for (const dispatch of decisions.flatMap((decision) => (decision.matched ? decision.dispatches : []))) {
    const { agentType } = dispatch;
    if (!byAgent.has(agentType))
      byAgent.set(agentType, { ...dispatch, thread, gathers: canGather(event, facts, agentType) });
  }
  return [...byAgent.values()];
}
