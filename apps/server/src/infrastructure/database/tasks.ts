import { type Selectable, sql } from "kysely";
import type { EventId, LaneKey, RunId, TaskId, ThreadId } from "../../domain/ids.ts";
import type { Task, TaskState } from "../../domain/task.ts";
import { newId } from "../ids.ts";
import { isUniqueViolation } from "./errors.ts";
import type { Handle } from "./handle.ts";
import { isHeld } from "./lane-holds.ts";
import { changed, defaultPage, type Page } from "./results.ts";
import type { Schema } from "./schema.ts";
import { type Requeue, requeue } from "./tasks-requeue.ts";

export interface NewTask {
  lane: LaneKey;
  agentType: string;
  thread: ThreadId;
  skill: string;
  cause: EventId;
  /** Ms since the epoch. */
  dueAt: number;
  /** More of the same puts it off, up to this time, ms since the epoch; left out: it starts when it is due. */
  gathersUntil?: number;
}

export interface TaskStore {
  /**
   * Work for the lane. Where a task waits already, the cause joins it: it keeps its own skill and cause and the earlier
   * of the two times, and a parked one is queued again with its attempts forgotten, since something new was said. Where
   * both gather, the later time counts, as far as the first one's `gathersUntil`.
   */
  enqueue(task: NewTask): Promise<{ task: Task; joined: boolean }>;
  /** Null where it is not due, no longer waiting, or its lane is held or has a run under way. Counts an attempt. */
  claim(id: TaskId, run: RunId, now: number): Promise<Task | null>;
  /** The task that has a run under way in the lane. */
  runningIn(lane: LaneKey): Promise<Task | null>;
  /** The lane's task that may be claimed now. */
  dueIn(lane: LaneKey, now: number): Promise<Task | null>;
  /** What may be claimed now, longest due first; nothing of lanes that are held or have a run under way. */
  due(now: number, limit: number): Promise<Task[]>;
  /** When the next of them falls due; null where none will by time alone. */
  nextDueAt(): Promise<number | null>;
  /** These five are of the run that claimed it: false where the task is another run's by now, and nothing changed. */
  succeed(id: TaskId, run: RunId): Promise<boolean>;
  fail(id: TaskId, run: RunId, reason: string): Promise<boolean>;
  /** With null instead of a run: one that waits. */
  cancel(id: TaskId, run: RunId | null, reason: string): Promise<boolean>;
  /** Waits until this time, or with null until a new cause or a person wakes it. A task that waits in the lane joins it. */
  park(id: TaskId, run: RunId, park: { reason: string; until: number | null }): Promise<boolean>;
  /** Tries again at this time. A task that waits in the lane joins it. */
  requeue(id: TaskId, run: RunId, requeue: { dueAt: number; countAttempt: boolean; reason: string }): Promise<boolean>;
  /** Its run is to be stopped. False where it is not running. */
  stop(id: TaskId, why: string): Promise<boolean>;
  /** The lane's task that is queued or parked. */
  waitingIn(lane: LaneKey): Promise<Task | null>;
  running(): Promise<Task[]>;
  get(id: TaskId): Promise<Task | null>;
  /** Newest first. */
  list(page?: Page<TaskId> & { state?: TaskState; lane?: LaneKey }): Promise<Task[]>;
}

/** The time of a task that no time wakes. */
const never = Number.MAX_SAFE_INTEGER;

const waiting = ["queued", "parked"] as const;

export function createTaskStore(handle: Handle): TaskStore {
  const { kysely } = handle;
  const again = (id: TaskId, run: RunId, change: Requeue) => requeue(handle, id, run, change);
  return {
    enqueue: (task) => enqueue(handle, task),
    claim: (id, run, now) => claim(handle, id, run, now),
    async runningIn(lane) {
      const query = kysely.selectFrom("tasks").selectAll().where("lane", "=", lane).where("state", "=", "running");
      const row = await query.executeTakeFirst();
      return row ? taskFrom(row) : null;
    },
    async due(now, limit) {
      const query = claimable(handle).selectAll().where("next_due_at", "<=", now);
      return (await query.orderBy("next_due_at").orderBy("id").limit(limit).execute()).map(taskFrom);
    },
    async dueIn(lane, now) {
      const query = claimable(handle).selectAll().where("lane", "=", lane).where("next_due_at", "<=", now);
      const row = await query.executeTakeFirst();
      return row ? taskFrom(row) : null;
    },
    async nextDueAt() {
      const query = claimable(handle).select("next_due_at").where("next_due_at", "<", never);
      return (await query.orderBy("next_due_at").limit(1).executeTakeFirst())?.next_due_at ?? null;
    },
    succeed: (id, run) => end(handle, id, run, "succeeded", null),
    fail: (id, run, reason) => end(handle, id, run, "failed", reason),
    cancel: (id, run, reason) => end(handle, id, run, "cancelled", reason),
    park: (id, run, { reason, until }) =>
      again(id, run, { state: "parked", dueAt: until ?? never, countAttempt: true, reason }),
    requeue: (id, run, change) => again(id, run, { state: "queued", ...change }),
    async stop(id, why) {
      const update = kysely.updateTable("tasks").set({ stop: why, updated_at: handle.clock.now() });
      return changed(await update.where("id", "=", id).where("state", "=", "running").executeTakeFirstOrThrow());
    },
    async waitingIn(lane) {
      const query = kysely.selectFrom("tasks").selectAll().where("lane", "=", lane).where("state", "in", waiting);
      const row = await query.executeTakeFirst();
      return row ? taskFrom(row) : null;
    },
    async running() {
      const query = kysely.selectFrom("tasks").selectAll().where("state", "=", "running");
      return (await query.orderBy("id").execute()).map(taskFrom);
    },
    async get(id) {
      const row = await kysely.selectFrom("tasks").selectAll().where("id", "=", id).executeTakeFirst();
      return row ? taskFrom(row) : null;
    },
    async list({ before, limit = defaultPage, state, lane } = {}) {
      let query = kysely.selectFrom("tasks").selectAll();
      if (before !== undefined) query = query.where("id", "<", before);
      if (state !== undefined) query = query.where("state", "=", state);
      if (lane !== undefined) query = query.where("lane", "=", lane);
      return (await query.orderBy("id", "desc").limit(limit).execute()).map(taskFrom);
    },
  };
}

const claimable = ({ kysely }: Handle) =>
  kysely
    .selectFrom("tasks")
    .where("state", "in", waiting)
    .where((query) =>
      query.not(
        query.exists(
          query.selectFrom("lane_holds").select("lane_holds.lane").whereRef("lane_holds.lane", "=", "tasks.lane"),
        ),
      ),
    )
    .where((query) =>
      query.not(
        query.exists(
          query
            .selectFrom("tasks as other")
            .select("other.id")
            .whereRef("other.lane", "=", "tasks.lane")
            .where("other.state", "=", "running"),
        ),
      ),
    );

const joinedDueAt = sql<number>`case
  when tasks.state = 'queued' and tasks.gathers_until is not null and excluded.gathers_until is not null
  then case when excluded.next_due_at < tasks.gathers_until then excluded.next_due_at else tasks.gathers_until end
  when excluded.next_due_at < tasks.next_due_at then excluded.next_due_at
  else tasks.next_due_at end`;

async function enqueue({ kysely, clock }: Handle, task: NewTask): Promise<{ task: Task; joined: boolean }> {
  const id = newId.task();
  const now = clock.now();
  const row = await kysely
    .insertInto("tasks")
    .values({
      id,
      lane: task.lane,
      agent_type: task.agentType,
      thread_id: task.thread,
      skill: task.skill,
      state: "queued",
      attempts: 0,
      next_due_at: task.dueAt,
      cause: task.cause,
      run_id: null,
      reason: null,
      created_at: now,
      updated_at: now,
      gathers_until: task.gathersUntil ?? null,
      stop: null,
    })
    .onConflict((conflict) =>
      conflict
        .column("lane")
        // Literal, as in the index: PostgreSQL finds the index by the text of its condition.
        .where(sql<boolean>`state in ('queued', 'parked')`)
        .doUpdateSet({
          state: "queued",
          next_due_at: joinedDueAt,
          gathers_until: sql<number | null>`case
            when excluded.gathers_until is null then null
            when tasks.state = 'parked' then excluded.gathers_until
            else tasks.gathers_until end`,
          attempts: sql<number>`case when tasks.state = 'parked' then 0 else tasks.attempts end`,
          reason: sql<string | null>`case when tasks.state = 'parked' then null else tasks.reason end`,
          updated_at: now,
        }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
  return { task: taskFrom(row), joined: row.id !== id };
}

async function claim(handle: Handle, id: TaskId, run: RunId, now: number): Promise<Task | null> {
  try {
    const row = await handle.kysely
      .updateTable("tasks")
      .set({ state: "running", run_id: run, attempts: sql<number>`attempts + 1`, gathers_until: null, updated_at: now })
      .where("id", "in", claimable(handle).select("tasks.id").where("tasks.id", "=", id))
      .where("state", "in", waiting)
      .where("next_due_at", "<=", now)
      .returningAll()
      .executeTakeFirst();
    if (!row) return null;
    // On PostgreSQL a hold can be set while this claims: whoever holds looks for a run afterwards, so one of both sees it.
    if (!(await isHeld(handle, row.lane))) return taskFrom(row);
    await requeue(handle, id, run, { state: "queued", dueAt: now, countAttempt: false, reason: "the lane is held" });
    return null;
  } catch (error) {
    // Another server started the lane's other task in the same moment.
    if (isUniqueViolation(error)) return null;
    throw error;
  }
}

async function end(
  { kysely, clock }: Handle,
  id: TaskId,
  run: RunId | null,
  state: "succeeded" | "failed" | "cancelled",
  reason: string | null,
): Promise<boolean> {
  const update = kysely.updateTable("tasks").set({ state, reason, run_id: null, updated_at: clock.now() });
  const mine = update.where("id", "=", id);
  const guarded =
    run === null ? mine.where("state", "in", waiting) : mine.where("state", "=", "running").where("run_id", "=", run);
  return changed(await guarded.executeTakeFirstOrThrow());
}

const taskFrom = (row: Selectable<Schema["tasks"]>): Task => ({
  id: row.id as TaskId,
  lane: row.lane as LaneKey,
  agentType: row.agent_type,
  thread: row.thread_id as ThreadId,
  skill: row.skill,
  state: row.state as TaskState,
  attempts: row.attempts,
  nextDueAt: row.next_due_at,
  cause: row.cause as EventId,
  run: row.run_id as RunId | null,
  reason: row.reason,
  stop: row.stop,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
