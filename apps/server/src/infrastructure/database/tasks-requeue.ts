import { sql } from "kysely";
import type { RunId, TaskId } from "../../domain/ids.ts";
import { isUniqueViolation } from "./errors.ts";
import type { Handle } from "./handle.ts";
import { changed } from "./results.ts";

export interface Requeue {
  state: "queued" | "parked";
  dueAt: number;
  countAttempt: boolean;
  reason: string;
}

/** A cause can slip in between two statements on PostgreSQL; the next try takes it in. */
const tries = 5;

/**
 * Puts a running task back. A lane has one waiting task: where causes made another one meanwhile, it is cancelled and
 * its causes join this one, which then counts as told something new: queued, at the earlier of the two times.
 */
export async function requeue(handle: Handle, id: TaskId, run: RunId, change: Requeue): Promise<boolean> {
  for (let left = tries; ; left--) {
    try {
      return await handle.transaction((tx) => putBack(tx, id, run, change));
    } catch (error) {
      if (!isUniqueViolation(error) || left <= 1) throw error;
    }
  }
}

async function putBack({ kysely, clock }: Handle, id: TaskId, run: RunId, change: Requeue): Promise<boolean> {
  const now = clock.now();
  const own = kysely.selectFrom("tasks as own").where("own.id", "=", id).where("own.run_id", "=", run);
  const absorbed = await kysely
    .updateTable("tasks")
    .set({ state: "cancelled", reason: `joined task ${id}`, updated_at: now })
    .where("lane", "=", own.where("own.state", "=", "running").select("own.lane"))
    .where("state", "in", ["queued", "parked"])
    .returning("next_due_at")
    .executeTakeFirst();
  const result = await kysely
    .updateTable("tasks")
    .set({
      state: absorbed ? "queued" : change.state,
      next_due_at: Math.min(change.dueAt, absorbed?.next_due_at ?? change.dueAt),
      attempts: sql<number>`attempts - ${change.countAttempt ? 0 : 1}`,
      run_id: null,
      reason: change.reason,
      updated_at: now,
    })
    .where("id", "=", id)
    .where("run_id", "=", run)
    .where("state", "=", "running")
    .executeTakeFirstOrThrow();
  if (absorbed && !changed(result)) throw new Error(`task ${id} ended while it was put back`);
  return changed(result);
}
