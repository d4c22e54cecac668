import type { Selectable } from "kysely";
import type { LaneKey, SessionId } from "../../domain/ids.ts";
import type { SessionRecord } from "../../domain/session.ts";
import type { Handle } from "./handle.ts";
import type { Schema } from "./schema.ts";

/** Sessions as they lie in the database, expired ones too: for people who look at them, and for moving them. */
export interface SessionRecords {
  /** By lane, only those after this one. */
  list(page: { after?: LaneKey; limit: number }): Promise<SessionRecord[]>;
  get(lane: LaneKey): Promise<SessionRecord | null>;
  /** Takes a session over with its time, also one that was reset here. False, and nothing changes, where the lane has one that was used as late or later. */
  put(session: { lane: LaneKey; id: SessionId; lastUsedAt: number }): Promise<boolean>;
}

export function createSessionRecords({ kysely, clock }: Handle): SessionRecords {
  const all = () => kysely.selectFrom("sessions").selectAll();
  return {
    async list({ after, limit }) {
      const query = after === undefined ? all() : all().where("lane", ">", after);
      const now = clock.now();
      return (await query.orderBy("lane").limit(limit).execute()).map((row) => recordFrom(row, now));
    },
    async get(lane) {
      const row = await all().where("lane", "=", lane).executeTakeFirst();
      return row ? recordFrom(row, clock.now()) : null;
    },
    async put({ lane, id, lastUsedAt }) {
      const values = { session_id: id, last_used_at: lastUsedAt, aged_from: lastUsedAt, paused_age_ms: null };
      const result = await kysely
        .insertInto("sessions")
        .values({ lane, ...values, totals: null, archived_at: null })
        .onConflict((conflict) =>
          conflict
            .column("lane")
            .doUpdateSet({ ...values, totals: null })
            .where("sessions.last_used_at", "<", lastUsedAt),
        )
        .executeTakeFirstOrThrow();
      if ((result.numInsertedOrUpdatedRows ?? 0n) === 0n) return false;
      // Who brings a session back wants it resumed, whatever was asked before.
      await kysely.deleteFrom("lane_resets").where("lane", "=", lane).where("session_id", "=", id).execute();
      return true;
    },
  };
}

const recordFrom = (row: Selectable<Schema["sessions"]>, now: number): SessionRecord => ({
  lane: row.lane as LaneKey,
  id: row.session_id as SessionId,
  lastUsedAt: row.last_used_at,
  ageMs: row.aged_from === null ? (row.paused_age_ms ?? 0) : Math.max(0, now - row.aged_from),
  stands: row.aged_from === null,
  archivedAt: row.archived_at,
});
