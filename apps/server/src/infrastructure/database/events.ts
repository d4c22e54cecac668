import type { Selectable } from "kysely";
import type { EventBody, ForgeEvent } from "../../domain/event.ts";
import type { Decision, MatchFacts } from "../../domain/flow.ts";
import type { DeliveryId, EventId, ForgeId, ThreadId } from "../../domain/ids.ts";
import type { Handle } from "./handle.ts";
import { changed, defaultPage, type Page } from "./results.ts";
import type { Schema } from "./schema.ts";

/** Why something ran, or nothing did: what was known of the event, and what each flow made of it. */
export interface Verdict {
  facts: MatchFacts;
  decisions: Decision[];
}

export interface EventStore {
  /** False where this happening is stored already: the semantic key is unique in its repository. */
  insert(event: ForgeEvent): Promise<boolean>;
  get(id: EventId): Promise<ForgeEvent | null>;
  /** In the order given; what is not there is left out. */
  getMany(ids: readonly EventId[]): Promise<ForgeEvent[]>;
  /** Oldest first. */
  listForThread(thread: ThreadId): Promise<ForgeEvent[]>;
  /** What the delivery told of, oldest first; none where it told nothing new. */
  ofDelivery(delivery: DeliveryId): Promise<ForgeEvent[]>;
  /** Newest first. */
  list(page?: Page<EventId>): Promise<ForgeEvent[]>;
  /** Stored but not decided on, oldest first: new ones, and those that a crash left between. */
  undecided(limit: number): Promise<ForgeEvent[]>;
  /** False where it was decided before. */
  markDecided(id: EventId): Promise<boolean>;
  /** False, and nothing changes, where a verdict is stored: the first one is what happened. */
  saveDecisions(id: EventId, facts: MatchFacts, decisions: readonly Decision[]): Promise<boolean>;
  decisions(id: EventId): Promise<Verdict | null>;
  /** What was known of these events when they were decided; those that are not decided are left out. */
  facts(ids: readonly EventId[]): Promise<Map<EventId, MatchFacts>>;
}

export function createEventStore(handle: Handle): EventStore {
  const { kysely, clock } = handle;
  const all = () => kysely.selectFrom("events").selectAll();
  return {
    insert: (event) => insert(handle, event),
    async get(id) {
      const row = await all().where("id", "=", id).executeTakeFirst();
      return row ? eventFrom(row) : null;
    },
    async getMany(ids) {
      if (ids.length === 0) return [];
      const rows = await all().where("id", "in", ids).execute();
      const byId = new Map(rows.map((row) => [row.id, eventFrom(row)]));
      return ids.flatMap((id) => byId.get(id) ?? []);
    },
    async listForThread(thread) {
      return (await all().where("thread_id", "=", thread).orderBy("id").execute()).map(eventFrom);
    },
    async ofDelivery(delivery) {
      return (await all().where("delivery_id", "=", delivery).orderBy("id").execute()).map(eventFrom);
    },
    async list({ before, limit = defaultPage } = {}) {
      const query = before === undefined ? all() : all().where("id", "<", before);
      return (await query.orderBy("id", "desc").limit(limit).execute()).map(eventFrom);
    },
    async undecided(limit) {
      return (await all().where("decided_at", "is", null).orderBy("id").limit(limit).execute()).map(eventFrom);
    },
    async markDecided(id) {
      const update = kysely.updateTable("events").set({ decided_at: clock.now() });
      return changed(await update.where("id", "=", id).where("decided_at", "is", null).executeTakeFirstOrThrow());
    },
    saveDecisions: (id, facts, decisions) => handle.transaction((tx) => saveDecisions(tx, id, facts, decisions)),
    decisions: (id) => decisionsOf(handle, id),
    async facts(ids) {
      if (ids.length === 0) return new Map();
      const rows = await kysely.selectFrom("event_facts").selectAll().where("event_id", "in", ids).execute();
      return new Map(rows.map(({ event_id, facts }) => [event_id as EventId, JSON.parse(facts) as MatchFacts]));
    },
  };
}

async function insert({ kysely }: Handle, event: ForgeEvent): Promise<boolean> {
  const { id, semanticKey, repository, thread, actor, receivedAt, delivery, kind, ...body } = event;
  const result = await kysely
    .insertInto("events")
    .values({
      id,
      forge: repository.forge,
      repository_id: repository.id,
      repository: repository.name,
      semantic_key: semanticKey,
      thread_id: thread,
      kind,
      actor_id: actor.id,
      actor_login: actor.login,
      received_at: receivedAt,
      delivery_id: delivery,
      body: JSON.stringify(body),
      decided_at: null,
    })
    .onConflict((conflict) => conflict.columns(["forge", "repository_id", "semantic_key"]).doNothing())
    .executeTakeFirstOrThrow();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

async function saveDecisions(
  { kysely }: Handle,
  id: EventId,
  facts: MatchFacts,
  decisions: readonly Decision[],
): Promise<boolean> {
  const stored = await kysely
    .insertInto("event_facts")
    .values({ event_id: id, facts: JSON.stringify(facts) })
    .onConflict((conflict) => conflict.column("event_id").doNothing())
    .executeTakeFirstOrThrow();
  if (stored.numInsertedOrUpdatedRows !== 1n) return false;
  const rows = decisions.map((decision, position) => ({
    event_id: id,
    position,
    flow: decision.flow,
    matched: decision.matched ? 1 : 0,
    why: decision.why,
    saw: JSON.stringify(decision.saw),
    dispatches: decision.matched ? JSON.stringify(decision.dispatches) : null,
  }));
  if (rows.length > 0) await kysely.insertInto("decisions").values(rows).execute();
  return true;
}

async function decisionsOf({ kysely }: Handle, id: EventId): Promise<Verdict | null> {
  const stored = await kysely.selectFrom("event_facts").select("facts").where("event_id", "=", id).executeTakeFirst();
  if (!stored) return null;
  const query = kysely.selectFrom("decisions").selectAll().where("event_id", "=", id);
  const rows = await query.orderBy("position").execute();
  return { facts: JSON.parse(stored.facts) as MatchFacts, decisions: rows.map(decisionFrom) };
}

function decisionFrom({ flow, why, saw, dispatches }: Selectable<Schema["decisions"]>): Decision {
  const base = { flow, why, saw: JSON.parse(saw) as Decision["saw"] };
  if (dispatches === null) return { ...base, matched: false };
  return {
    ...base,
    matched: true,
    dispatches: JSON.parse(dispatches) as Extract<Decision, { matched: true }>["dispatches"],
  };
}

function eventFrom(row: Selectable<Schema["events"]>): ForgeEvent {
  const body = { kind: row.kind, ...(JSON.parse(row.body) as object) } as EventBody;
  return {
    id: row.id as EventId,
    semanticKey: row.semantic_key,
    repository: { forge: row.forge as ForgeId, id: row.repository_id, name: row.repository },
    thread: row.thread_id as ThreadId | null,
    actor: { id: row.actor_id, login: row.actor_login },
    receivedAt: row.received_at,
    delivery: row.delivery_id as DeliveryId | null,
    ...body,
  };
}
