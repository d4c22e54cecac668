import { type Selectable, sql } from "kysely";
import type { LaneKey, SessionId } from "../../domain/ids.ts";
import type { Session, SessionLookup, SessionTotals } from "../../domain/session.ts";
import type { Handle } from "./handle.ts";
import { changed } from "./results.ts";
import type { Schema } from "./schema.ts";

/**
 * Which session a lane's agent resumes. The age of a session counts from its last use, and not while it is paused;
 * older than the maximum it is gone, exactly at the maximum it still lives.
 *
 * A clock that was set back makes no session older: a time in the future counts as now, and is corrected to now where
 * it is met, so that no session outlives the maximum age from then on. The last write wins also with an earlier time.
 */
export interface SessionStore {
  getSession(lane: LaneKey): Promise<Session | null>;
  /** {@link SessionStore.getSession} with the reason, for those who tell people why a start is fresh. */
  findSession(lane: LaneKey): Promise<SessionLookup>;
  /** Now is its last use, with the same id too. A paused one stays paused, at age 0. */
  setSession(lane: LaneKey, id: SessionId): Promise<void>;
  /** What the agent said that its session has cost so far; null where nothing is kept. */
  getTotals(lane: LaneKey): Promise<SessionTotals | null>;
  /** Of the session with this id: false, and nothing changes, where the lane has another one by now. */
  setTotals(lane: LaneKey, id: SessionId, totals: SessionTotals): Promise<boolean>;
  /** False where there was none. */
  deleteSession(lane: LaneKey): Promise<boolean>;
  /** Drops every expired one and says how many; in slices, so that nobody waits for long. */
  sweepStaleSessions(): Promise<number>;
  /** For every session, from now on. Throws a RangeError for what is no whole number above 0. */
  setMaxSessionAgeMs(ms: number): void;
  /** The lane is parked, held or waits for a person: the age stands still. False where it does already, or there is none. */
  pauseSession(lane: LaneKey): Promise<boolean>;
  unpauseSession(lane: LaneKey): Promise<boolean>;
  /** Counted in the database, so that a restart forgets none. */
  incrementSessionResumeFailures(reason: string): Promise<void>;
  /** Of this reason, or of all. */
  getSessionResumeFailuresTotal(reason?: string): Promise<number>;
  /** Of every session that is not expired, paused ones included. */
  listLiveSessionIds(): Promise<SessionId[]>;
}

/** Rows of one transaction of the sweep: a few milliseconds. */
const sweepSlice = 500;

export function createSessionStore(handle: Handle, { maxAgeMs }: { maxAgeMs: number }): SessionStore {
  const { kysely, clock } = handle;
  let limit = checkedAge(maxAgeMs);
  const find = (lane: LaneKey) => findSession(handle, lane, limit);
  return {
    findSession: find,
    async getSession(lane) {
      const found = await find(lane);
      return found.kind === "live" ? found.session : null;
    },
    setSession: (lane, id) => setSession(handle, lane, id),
    async getTotals(lane) {
      const query = kysely.selectFrom("sessions").select("totals").where("lane", "=", lane);
      const text = (await query.executeTakeFirst())?.totals ?? null;
      return text === null ? null : (JSON.parse(text) as SessionTotals);
    },
    async setTotals(lane, id, totals) {
      const update = kysely
        .updateTable("sessions")
        .set({ totals: JSON.stringify(totals) })
        .where("lane", "=", lane);
      return changed(await update.where("session_id", "=", id).executeTakeFirstOrThrow());
    },
    async deleteSession(lane) {
      const result = await kysely.deleteFrom("sessions").where("lane", "=", lane).executeTakeFirstOrThrow();
      return result.numDeletedRows > 0n;
    },
    sweepStaleSessions: () => sweep(handle, limit),
    setMaxSessionAgeMs(ms) {
      limit = checkedAge(ms);
    },
    async pauseSession(lane) {
      const now = clock.now();
      const age = sql<number>`case when aged_from > ${now} then 0 else ${now} - aged_from end`;
      const update = kysely.updateTable("sessions").set({ aged_from: null, paused_age_ms: age });
      const guarded = update.where("lane", "=", lane).where("aged_from", "is not", null);
      return changed(await guarded.executeTakeFirstOrThrow());
    },
    async unpauseSession(lane) {
      const from = sql<number>`${clock.now()} - paused_age_ms`;
      const update = kysely.updateTable("sessions").set({ aged_from: from, paused_age_ms: null });
      const guarded = update.where("lane", "=", lane).where("aged_from", "is", null);
      return changed(await guarded.executeTakeFirstOrThrow());
    },
    incrementSessionResumeFailures: (reason) => countFailure(handle, reason),
    getSessionResumeFailuresTotal: (reason) => failuresTotal(handle, reason),
    async listLiveSessionIds() {
      const query = kysely.selectFrom("sessions").select("session_id");
      const oldest = clock.now() - limit;
      const rows = await query
        .where((where) => where.or([where("aged_from", ">=", oldest), where("paused_age_ms", "<=", limit)]))
        .orderBy("lane")
        .execute();
      return rows.map(({ session_id }) => session_id as SessionId);
    },
  };
}

async function findSession(handle: Handle, lane: LaneKey, maxAgeMs: number): Promise<SessionLookup> {
  const { kysely, clock } = handle;
  const now = clock.now();
  const row = await kysely.selectFrom("sessions").selectAll().where("lane", "=", lane).executeTakeFirst();
  if (!row) return { kind: "none" };
  if (Math.max(row.last_used_at, row.aged_from ?? 0) > now) {
    await correctFuture(handle, now).where("lane", "=", lane).execute();
    return findSession(handle, lane, maxAgeMs);
  }
  const ageMs = row.aged_from === null ? (row.paused_age_ms ?? 0) : now - row.aged_from;
  if (ageMs <= maxAgeMs) return { kind: "live", session: sessionFrom(row) };
  const dropped = await expired(handle, now, maxAgeMs).where("lane", "=", lane).executeTakeFirstOrThrow();
  // Between the two statements another writer may have used it.
  if (dropped.numDeletedRows === 0n) return findSession(handle, lane, maxAgeMs);
  return { kind: "expired", lastUsedAt: row.last_used_at, ageMs, maxAgeMs };
}

async function setSession({ kysely, clock }: Handle, lane: LaneKey, id: SessionId): Promise<void> {
  const now = clock.now();
  await kysely
    .insertInto("sessions")
    .values({
      lane,
      session_id: id,
      last_used_at: now,
      aged_from: now,
      paused_age_ms: null,
      totals: null,
      archived_at: null,
    })
    .onConflict((conflict) =>
      conflict.column("lane").doUpdateSet({
        session_id: id,
        last_used_at: now,
        totals: sql<
          string | null
        >`case when sessions.session_id = excluded.session_id then sessions.totals else null end`,
        aged_from: sql<number | null>`case when sessions.aged_from is null then null else excluded.aged_from end`,
        paused_age_ms: sql<number | null>`case when sessions.aged_from is null then 0 else null end`,
      }),
    )
    .execute();
}

const expired = ({ kysely }: Handle, now: number, maxAgeMs: number) =>
  kysely
    .deleteFrom("sessions")
    .where((where) => where.or([where("aged_from", "<", now - maxAgeMs), where("paused_age_ms", ">", maxAgeMs)]));

async function sweep(handle: Handle, maxAgeMs: number): Promise<number> {
  const now = handle.clock.now();
  await correctFuture(handle, now).where("aged_from", ">", now).execute();
  let swept = 0;
  for (;;) {
    const slice = handle.kysely
      .selectFrom("sessions as stale")
      .select("stale.lane")
      .where((where) =>
        where.or([where("stale.aged_from", "<", now - maxAgeMs), where("stale.paused_age_ms", ">", maxAgeMs)]),
      )
      .limit(sweepSlice);
    // The condition stands in both: a session that is used in this moment stays.
    const result = await expired(handle, now, maxAgeMs).where("lane", "in", slice).executeTakeFirstOrThrow();
    if (result.numDeletedRows === 0n) return swept;
    swept += Number(result.numDeletedRows);
    await endOfTurn();
  }
}

/** Times after now were written by a clock that has been set back since. */
const correctFuture = ({ kysely }: Handle, now: number) =>
  kysely.updateTable("sessions").set({
    last_used_at: sql<number>`case when last_used_at > ${now} then ${now} else last_used_at end`,
    aged_from: sql<number | null>`case when aged_from > ${now} then ${now} else aged_from end`,
  });

async function countFailure({ kysely }: Handle, reason: string): Promise<void> {
  await kysely
    .insertInto("session_resume_failures")
    .values({ reason, count: 1 })
    .onConflict((conflict) =>
      conflict.column("reason").doUpdateSet({ count: sql<number>`session_resume_failures.count + 1` }),
    )
    .execute();
}

async function failuresTotal({ kysely }: Handle, reason?: string): Promise<number> {
  const query = kysely.selectFrom("session_resume_failures").select("count");
  const rows = await (reason === undefined ? query : query.where("reason", "=", reason)).execute();
  return rows.reduce((total, { count }) => total + count, 0);
}

function checkedAge(ms: number): number {
  if (Number.isSafeInteger(ms) && ms > 0) return ms;
  throw new RangeError(`the maximum age of a session is a whole number of milliseconds above 0, not ${ms}`);
}

const sessionFrom = (row: Selectable<Schema["sessions"]>): Session => ({
  lane: row.lane as LaneKey,
  id: row.session_id as SessionId,
  lastUsedAt: row.last_used_at,
});

const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
