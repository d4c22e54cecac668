import { sql } from "kysely";
import type { Effect, EffectBody, EffectResult, EffectState, Precondition } from "../../domain/effect.ts";
import type { EffectId, ForgeId, RunId, ThreadId } from "../../domain/ids.ts";
import type { Handle } from "./handle.ts";
import { changed } from "./results.ts";
import type { EffectRow } from "./schema.ts";

export interface EffectStore {
  /** The stored effect of this key: this one, or the one that was there first, unchanged. */
  enqueue(effect: Effect): Promise<Effect>;
  /**
   * The oldest unfinished effect of each thread, where it is due; so each thread's are sent in order, one at a time.
   * One that is being sent or waits for a retry holds the later ones back, a parked one does not.
   */
  nextDue(now: number, limit?: number): Promise<Effect[]>;
  /** When the next of them falls due; null where none waits. */
  nextDueAt(): Promise<number | null>;
  /** Before the request leaves. False where someone else took it; counts an attempt. */
  markSending(id: EffectId): Promise<boolean>;
  done(id: EffectId, result: EffectResult): Promise<boolean>;
  retryAt(id: EffectId, when: number, error: string): Promise<boolean>;
  supersede(id: EffectId, why: string): Promise<boolean>;
  park(id: EffectId, error: string): Promise<boolean>;
  get(id: EffectId): Promise<Effect | null>;
  getByKey(key: string): Promise<Effect | null>;
  /** After a crash: these may or may not have been carried out. Oldest first. */
  sending(): Promise<Effect[]>;
  /** Oldest first. */
  listForThread(thread: ThreadId): Promise<Effect[]>;
  /** Oldest first. */
  ofRun(run: RunId): Promise<Effect[]>;
  /** Oldest first. */
  parked(): Promise<Effect[]>;
}

const unfinished = ["pending", "sending"] as const;

export function createEffectStore(handle: Handle): EffectStore {
  const { kysely } = handle;
  const all = () => kysely.selectFrom("effects").selectAll();
  const one = async (column: "id" | "key", value: string) => {
    const row = await all().where(column, "=", value).executeTakeFirst();
    return row ? effectFrom(row) : null;
  };
  const move = async (id: EffectId, from: readonly EffectState[], change: Partial<EffectRow>) => {
    const update = kysely.updateTable("effects").set(change).where("id", "=", id).where("state", "in", from);
    return changed(await update.executeTakeFirstOrThrow());
  };
  return {
    enqueue: (effect) => enqueue(handle, effect),
    async nextDue(now, limit = 50) {
      const query = heads(handle).selectAll().where("next_attempt_at", "<=", now);
      return (await query.orderBy("next_attempt_at").orderBy("id").limit(limit).execute()).map(effectFrom);
    },
    async nextDueAt() {
      const query = heads(handle).select("next_attempt_at").orderBy("next_attempt_at").limit(1);
      return (await query.executeTakeFirst())?.next_attempt_at ?? null;
    },
    async markSending(id) {
      const update = kysely.updateTable("effects").set({ state: "sending", attempts: sql<number>`attempts + 1` });
      return changed(await update.where("id", "=", id).where("state", "=", "pending").executeTakeFirstOrThrow());
    },
    done: (id, result) => move(id, ["sending"], { state: "done", result: JSON.stringify(result), error: null }),
    retryAt: (id, when, error) => move(id, ["sending"], { state: "pending", next_attempt_at: when, error }),
    supersede: (id, why) => move(id, unfinished, { state: "superseded", error: why }),
    park: (id, error) => move(id, unfinished, { state: "parked", error }),
    get: (id) => one("id", id),
    getByKey: (key) => one("key", key),
    async sending() {
      return (await all().where("state", "=", "sending").orderBy("id").execute()).map(effectFrom);
    },
    async listForThread(thread) {
      return (await all().where("thread_id", "=", thread).orderBy("id").execute()).map(effectFrom);
    },
    async ofRun(run) {
      return (await all().where("run_id", "=", run).orderBy("id").execute()).map(effectFrom);
    },
    async parked() {
      return (await all().where("state", "=", "parked").orderBy("id").execute()).map(effectFrom);
    },
  };
}

/** Pending effects with nothing unfinished before them in their thread. */
const heads = ({ kysely }: Handle) =>
  kysely
    .selectFrom("effects")
    .where("state", "=", "pending")
    .where((query) =>
      query.not(
        query.exists(
          query
            .selectFrom("effects as earlier")
            .select("earlier.id")
            .whereRef("earlier.thread_id", "=", "effects.thread_id")
            .whereRef("earlier.id", "<", "effects.id")
            .where("earlier.state", "in", unfinished),
        ),
      ),
    );

async function enqueue({ kysely }: Handle, effect: Effect): Promise<Effect> {
  await kysely
    .insertInto("effects")
    .values(rowFrom(effect))
    .onConflict((conflict) => conflict.column("key").doNothing())
    .execute();
  const query = kysely.selectFrom("effects").selectAll().where("key", "=", effect.key);
  return effectFrom(await query.executeTakeFirstOrThrow());
}

const rowFrom = (effect: Effect): EffectRow => ({
  id: effect.id,
  key: effect.key,
  forge: effect.forge,
  author: effect.author,
  kind: effect.body.kind,
  repository_id: effect.repositoryId,
  thread_id: effect.thread,
  run_id: effect.run,
  body: JSON.stringify(effect.body),
  preconditions: JSON.stringify(effect.preconditions),
  state: effect.state,
  attempts: effect.attempts,
  next_attempt_at: effect.nextAttemptAt,
  result: effect.result === null ? null : JSON.stringify(effect.result),
  error: effect.error,
  created_at: effect.createdAt,
});

const effectFrom = (row: EffectRow): Effect => ({
  id: row.id as EffectId,
  key: row.key,
  forge: row.forge as ForgeId,
  author: row.author,
  repositoryId: row.repository_id,
  thread: row.thread_id as ThreadId,
  run: row.run_id as RunId | null,
  body: JSON.parse(row.body) as EffectBody,
  preconditions: JSON.parse(row.preconditions) as Precondition[],
  state: row.state as EffectState,
  attempts: row.attempts,
  nextAttemptAt: row.next_attempt_at,
  result: row.result === null ? null : (JSON.parse(row.result) as EffectResult),
  error: row.error,
  createdAt: row.created_at,
});
