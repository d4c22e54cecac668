import { type Selectable, sql } from "kysely";
import type { Delivery, DeliveryState, StoredDelivery } from "../../domain/delivery.ts";
import type { DeliveryId, ForgeId } from "../../domain/ids.ts";
import type { Database, Handle } from "./handle.ts";
import { changed, defaultPage, type Page } from "./results.ts";
import type { Schema } from "./schema.ts";

/** What became of a delivery: `id` is the first one's where the forge sent it before. */
export interface Receipt {
  id: DeliveryId;
  duplicate: boolean;
}

/** A delivery without its body, as lists show it. */
export type DeliverySummary = Omit<StoredDelivery, "body"> & { bytes: number };

export interface DeliveryStore {
  /** One statement for all; answers in their order. */
  insertMany(deliveries: readonly Delivery[]): Promise<Receipt[]>;
  /** Oldest first; only what came after `after`, where it is given. */
  nextReceived(limit: number, after?: DeliveryId | null): Promise<StoredDelivery[]>;
  /** `reason` says why no new event came of it, where none did. */
  markNormalised(id: DeliveryId, reason?: string | null): Promise<boolean>;
  markIgnored(id: DeliveryId, reason: string): Promise<boolean>;
  markFailed(id: DeliveryId, reason: string): Promise<boolean>;
  get(id: DeliveryId): Promise<StoredDelivery | null>;
  findByUuid(forge: ForgeId, hookId: string, uuid: string): Promise<StoredDelivery | null>;
  /** Newest first. */
  list(page?: Page<DeliveryId> & { state?: DeliveryState }): Promise<DeliverySummary[]>;
  counts(): Promise<Record<DeliveryState, number>>;
}

export interface DeliveryWriter {
  /** Resolves when it is on disk; rejects with QueueFull where too much waits. */
  add(delivery: Delivery): Promise<Receipt>;
}

/** Call it once for a database: it is one channel of the group-commit writer. */
export function createDeliveryWriter(db: Database): DeliveryWriter {
  return db.writer.channel<Delivery, Receipt>({
    write: (tx, deliveries) => createDeliveryStore(tx).insertMany(deliveries),
    bytes: ({ body }) => body.byteLength,
  });
}

export function createDeliveryStore({ kysely }: Handle): DeliveryStore {
  const mark = async (id: DeliveryId, state: DeliveryState, reason: string | null) =>
    changed(
      await kysely
        .updateTable("deliveries")
        .set({ state, reason })
        .where("id", "=", id)
        .where("state", "=", "received")
        .executeTakeFirstOrThrow(),
    );
  return {
    insertMany: (deliveries) => insertMany(kysely, deliveries),
    async nextReceived(limit, after = null) {
      const waiting = kysely.selectFrom("deliveries").selectAll().where("state", "=", "received");
      const query = after === null ? waiting : waiting.where("id", ">", after);
      return (await query.orderBy("id").limit(limit).execute()).map(stored);
    },
    markNormalised: (id, reason = null) => mark(id, "normalised", reason),
    markIgnored: (id, reason) => mark(id, "ignored", reason),
    markFailed: (id, reason) => mark(id, "failed", reason),
    async get(id) {
      const row = await kysely.selectFrom("deliveries").selectAll().where("id", "=", id).executeTakeFirst();
      return row ? stored(row) : null;
    },
    async findByUuid(forge, hookId, uuid) {
      const query = kysely.selectFrom("deliveries").selectAll().where("forge", "=", forge);
      const row = await query.where("hook_id", "=", hookId).where("uuid", "=", uuid).executeTakeFirst();
      return row ? stored(row) : null;
    },
    list: (page = {}) => list(kysely, page),
    async counts() {
      const counts: Record<DeliveryState, number> = { received: 0, normalised: 0, ignored: 0, failed: 0 };
      const query = kysely.selectFrom("deliveries").groupBy("state");
      const rows = await query.select(["state", sql<number>`count(*)`.as("count")]).execute();
      for (const { state, count } of rows) counts[state as DeliveryState] = count;
      return counts;
    },
  };
}

async function insertMany(kysely: Handle["kysely"], deliveries: readonly Delivery[]): Promise<Receipt[]> {
  if (deliveries.length === 0) return [];
  const rows = deliveries.map((delivery) => ({
    id: delivery.id,
    forge: delivery.forge,
    hook_id: delivery.hookId,
    uuid: delivery.uuid,
    event: delivery.event,
    event_type: delivery.eventType,
    body: Bun.zstdCompressSync(delivery.body, { level: 1 }),
    received_at: delivery.receivedAt,
    state: "received",
    reason: null,
  }));
  const insert = kysely.insertInto("deliveries").values(rows);
  const inserted = await insert
    .onConflict((conflict) => conflict.columns(["forge", "hook_id", "uuid"]).doNothing())
    .returning("id")
    .execute();
  if (inserted.length === deliveries.length) return deliveries.map(({ id }) => ({ id, duplicate: false }));
  const fresh = new Set(inserted.map(({ id }) => id));
  const first = await firstOf(
    kysely,
    deliveries.filter(({ id }) => !fresh.has(id)),
  );
  return deliveries.map((delivery) => {
    if (fresh.has(delivery.id)) return { id: delivery.id, duplicate: false };
    const id = first.get(placeOf(delivery.forge, delivery.hookId, delivery.uuid));
    if (id === undefined) throw new Error(`delivery ${delivery.uuid} is neither new nor known`);
    return { id, duplicate: true };
  });
}

/** Those that came first, by their place. */
async function firstOf(kysely: Handle["kysely"], deliveries: readonly Delivery[]): Promise<Map<string, DeliveryId>> {
  const places = deliveries.map(({ forge, hookId, uuid }) => sql`(${forge}, ${hookId}, ${uuid})`);
  const rows = await kysely
    .selectFrom("deliveries")
    .select(["id", "forge", "hook_id", "uuid"])
    .where(sql<boolean>`(forge, hook_id, uuid) in (values ${sql.join(places)})`)
    .execute();
  return new Map(rows.map((row) => [placeOf(row.forge, row.hook_id, row.uuid), row.id as DeliveryId]));
}

const placeOf = (forge: string, hookId: string, uuid: string): string => JSON.stringify([forge, hookId, uuid]);

async function list(
  kysely: Handle["kysely"],
  { before, limit = defaultPage, state }: Page<DeliveryId> & { state?: DeliveryState },
): Promise<DeliverySummary[]> {
  let query = kysely
    .selectFrom("deliveries")
    .select(["id", "forge", "hook_id", "uuid", "event", "event_type", "received_at", "state", "reason"])
    .select(sql<number>`length(body)`.as("bytes"));
  if (before !== undefined) query = query.where("id", "<", before);
  if (state !== undefined) query = query.where("state", "=", state);
  const rows = await query.orderBy("id", "desc").limit(limit).execute();
  return rows.map((row) => ({ ...summary(row), bytes: row.bytes }));
}

type Row = Selectable<Schema["deliveries"]>;

const summary = (row: Omit<Row, "body">): Omit<StoredDelivery, "body"> => ({
  id: row.id as DeliveryId,
  forge: row.forge as ForgeId,
  hookId: row.hook_id,
  uuid: row.uuid,
  event: row.event,
  eventType: row.event_type,
  receivedAt: row.received_at,
  state: row.state as DeliveryState,
  reason: row.reason,
});

const stored = (row: Row): StoredDelivery => ({
  ...summary(row),
  body: new Uint8Array(Bun.zstdDecompressSync(row.body)),
});
