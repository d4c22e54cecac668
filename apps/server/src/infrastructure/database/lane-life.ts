import type { LaneKey, ThreadId } from "../../domain/ids.ts";
import type { Handle } from "./handle.ts";
import { isHeld } from "./lane-holds.ts";
import { changed } from "./results.ts";
import { createSessionStore } from "./sessions.ts";

/** The end of a thread's work, and its going on: what stands still with it, and since when. */
export interface LaneLife {
  /** Ends the thread's work as of now, and lets the ages of these lanes' sessions stand still. False where it had ended. */
  archive(thread: ThreadId, lanes: readonly LaneKey[]): Promise<boolean>;
  /** The ages run on from where they stood. False where it had not ended. */
  reopen(thread: ThreadId, lanes: readonly LaneKey[]): Promise<boolean>;
  /** Milliseconds since the epoch, or null while its work goes on. */
  archivedAt(thread: ThreadId): Promise<number | null>;
  /** Drops the sessions that were archived before this time and answers their lanes; one that is held stays. */
  dropArchivedBefore(time: number): Promise<LaneKey[]>;
  /** After a hold or a task of the lane changed: its session's age stands still while it is held, archived or parked. */
  settleAge(lane: LaneKey): Promise<void>;
}

export function createLaneLife(handle: Handle): LaneLife {
  return {
    archive: (thread, lanes) => handle.transaction((tx) => archive(tx, thread, lanes)),
    reopen: (thread, lanes) => handle.transaction((tx) => reopen(tx, thread, lanes)),
    async archivedAt(thread) {
      const query = handle.kysely.selectFrom("threads").select("archived_at").where("id", "=", thread);
      return (await query.executeTakeFirst())?.archived_at ?? null;
    },
    async dropArchivedBefore(time) {
      const rows = await handle.kysely
        .deleteFrom("sessions")
        .where("archived_at", "<", time)
        .where("lane", "not in", handle.kysely.selectFrom("lane_holds").select("lane"))
        .returning("lane")
        .execute();
      return rows.map(({ lane }) => lane as LaneKey);
    },
    settleAge: (lane) => handle.transaction((tx) => settleAge(tx, lane)),
  };
}

async function archive(tx: Handle, thread: ThreadId, lanes: readonly LaneKey[]): Promise<boolean> {
  const now = tx.clock.now();
  const ended = await tx.kysely
    .updateTable("threads")
    .set({ archived_at: now })
    .where("id", "=", thread)
    .where("archived_at", "is", null)
    .executeTakeFirstOrThrow();
  if (lanes.length > 0)
    await tx.kysely
      .updateTable("sessions")
      .set({ archived_at: now })
      .where("lane", "in", lanes)
      .where("archived_at", "is", null)
      .execute();
  for (const lane of lanes) await settleAge(tx, lane);
  return changed(ended);
}

async function reopen(tx: Handle, thread: ThreadId, lanes: readonly LaneKey[]): Promise<boolean> {
  const goesOn = await tx.kysely
    .updateTable("threads")
    .set({ archived_at: null })
    .where("id", "=", thread)
    .where("archived_at", "is not", null)
    .executeTakeFirstOrThrow();
  if (lanes.length > 0)
    await tx.kysely.updateTable("sessions").set({ archived_at: null }).where("lane", "in", lanes).execute();
  for (const lane of lanes) await settleAge(tx, lane);
  return changed(goesOn);
}

async function settleAge(tx: Handle, lane: LaneKey): Promise<void> {
  const { kysely } = tx;
  const session = await kysely.selectFrom("sessions").select("archived_at").where("lane", "=", lane).executeTakeFirst();
  if (session === undefined) return;
  const parked = kysely.selectFrom("tasks").select("id").where("lane", "=", lane).where("state", "=", "parked");
  const still =
    session.archived_at !== null || (await isHeld(tx, lane)) || (await parked.executeTakeFirst()) !== undefined;
  // The maximum age plays no part in either.
  const sessions = createSessionStore(tx, { maxAgeMs: 1 });
  await (still ? sessions.pauseSession(lane) : sessions.unpauseSession(lane));
}
