import type { Selectable } from "kysely";
import type { Hold, HoldKind } from "../../domain/hold.ts";
import type { LaneKey } from "../../domain/ids.ts";
import type { Handle } from "./handle.ts";
import type { Schema } from "./schema.ts";

/** A lane that is held starts no run: the task store claims nothing of it. A run that was under way goes on to its end. */
export interface HoldStore {
  /** False where it is held already, whatever for. */
  hold(lane: LaneKey, kind: HoldKind): Promise<boolean>;
  /** False where there is no such hold. */
  release(lane: LaneKey, kind: HoldKind): Promise<boolean>;
  get(lane: LaneKey): Promise<Hold | null>;
  list(): Promise<Hold[]>;
  /** At start: what the service held for itself, a crash left. */
  releaseAll(kind: HoldKind): Promise<number>;
}

export function createHoldStore({ kysely, clock }: Handle): HoldStore {
  return {
    async hold(lane, kind) {
      const result = await kysely
        .insertInto("lane_holds")
        .values({ lane, kind, held_at: clock.now() })
        .onConflict((conflict) => conflict.column("lane").doNothing())
        .executeTakeFirstOrThrow();
      return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
    },
    async release(lane, kind) {
      const query = kysely.deleteFrom("lane_holds").where("lane", "=", lane).where("kind", "=", kind);
      return (await query.executeTakeFirstOrThrow()).numDeletedRows > 0n;
    },
    async get(lane) {
      const row = await kysely.selectFrom("lane_holds").selectAll().where("lane", "=", lane).executeTakeFirst();
      return row ? holdFrom(row) : null;
    },
    async list() {
      return (await kysely.selectFrom("lane_holds").selectAll().orderBy("lane").execute()).map(holdFrom);
    },
    async releaseAll(kind) {
      const query = kysely.deleteFrom("lane_holds").where("kind", "=", kind);
      return Number((await query.executeTakeFirstOrThrow()).numDeletedRows);
    },
  };
}

export async function isHeld({ kysely }: Handle, lane: string): Promise<boolean> {
  const query = kysely.selectFrom("lane_holds").select("lane").where("lane", "=", lane);
  return (await query.executeTakeFirst()) !== undefined;
}

const holdFrom = (row: Selectable<Schema["lane_holds"]>): Hold => ({
  lane: row.lane as LaneKey,
  kind: row.kind as HoldKind,
  since: row.held_at,
});
