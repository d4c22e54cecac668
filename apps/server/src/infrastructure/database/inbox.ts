import type { EventId, LaneKey, RunId } from "../../domain/ids.ts";
import type { Handle } from "./handle.ts";

/** What each lane's agent has not been told yet. */
export interface InboxStore {
  /** False where the lane has this event already, told or not. */
  add(lane: LaneKey, event: EventId): Promise<boolean>;
  /** Hands this run what no run was handed, of `only` where that is given; answers what it got, in event order. */
  offer(lane: LaneKey, run: RunId, only?: readonly EventId[]): Promise<EventId[]>;
  /** A turn that was given them has completed: what the run was offered, of `only` where that is given, is told. */
  consume(run: RunId, only?: readonly EventId[]): Promise<number>;
  /** What it was offered and did not consume, of `only` where that is given, waits for the next run. */
  giveBack(run: RunId, only?: readonly EventId[]): Promise<number>;
  /** What the next offer would hand out, in event order. */
  pending(lane: LaneKey): Promise<EventId[]>;
}

export function createInboxStore({ kysely, clock }: Handle): InboxStore {
  return {
    async add(lane, event) {
      const result = await kysely
        .insertInto("lane_events")
        .values({ lane, event_id: event, offered_run: null, consumed_at: null })
        .onConflict((conflict) => conflict.columns(["lane", "event_id"]).doNothing())
        .executeTakeFirstOrThrow();
      return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
    },
    async offer(lane, run, only) {
      if (only?.length === 0) return [];
      const update = kysely.updateTable("lane_events").set({ offered_run: run }).where("lane", "=", lane);
      const rows = await (only ? update.where("event_id", "in", only) : update)
        .where("offered_run", "is", null)
        .where("consumed_at", "is", null)
        .returning("event_id")
        .execute();
      return rows.map(({ event_id }) => event_id as EventId).toSorted(byId);
    },
    async consume(run, only) {
      if (only?.length === 0) return 0;
      const update = kysely.updateTable("lane_events").set({ consumed_at: clock.now() });
      const result = await (only ? update.where("event_id", "in", only) : update)
        .where("offered_run", "=", run)
        .where("consumed_at", "is", null)
        .executeTakeFirstOrThrow();
      return Number(result.numUpdatedRows);
    },
    async giveBack(run, only) {
      if (only?.length === 0) return 0;
      const update = kysely.updateTable("lane_events").set({ offered_run: null });
      const result = await (only ? update.where("event_id", "in", only) : update)
        .where("offered_run", "=", run)
        .where("consumed_at", "is", null)
        .executeTakeFirstOrThrow();
      return Number(result.numUpdatedRows);
    },
    async pending(lane) {
      const query = kysely.selectFrom("lane_events").select("event_id").where("lane", "=", lane);
      const rows = await query
        .where("offered_run", "is", null)
        .where("consumed_at", "is", null)
        .orderBy("event_id")
        .execute();
      return rows.map(({ event_id }) => event_id as EventId);
    },
  };
}

/** RETURNING promises no order. */
const byId = (left: EventId, right: EventId): number => (left < right ? -1 : 1);
