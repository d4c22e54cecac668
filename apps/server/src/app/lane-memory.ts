import type { EventId } from "../domain/ids.ts";
import type { InboxEntry } from "../domain/inbox.ts";
import type { LaneReset } from "../domain/lane.ts";
import type { Run } from "../domain/run.ts";
import { tierOf } from "../domain/tier.ts";
import { createEventStore } from "../infrastructure/database/events.ts";
import type { Database } from "../infrastructure/database/handle.ts";
import { createLaneStore } from "../infrastructure/database/lanes.ts";
import { createRunStore } from "../infrastructure/database/runs.ts";

/** Events with the tiers that their authors had when they were decided; who was not asked for is an outsider. */
export async function entriesOf(db: Database, ids: readonly EventId[]): Promise<InboxEntry[]> {
  const store = createEventStore(db);
  const [events, facts] = await Promise.all([store.getMany(ids), store.facts(ids)]);
  return events.map((event) => ({ event, tier: tierOf(facts.get(event.id)?.actorPermission ?? null) }));
}

const recentRuns = 50;

/**
 * The reset that came after the lane's last run with a session had begun. A run that was under way then has written its
 * session again: it is dropped here, before anybody could resume it.
 */
export async function forgottenBefore(db: Database, run: Run): Promise<LaneReset | null> {
  const reset = await createLaneStore(db).lastReset(run.lane);
  if (reset === null) return null;
  const runs = await createRunStore(db).list({ lane: run.lane, limit: recentRuns });
  const earlier = runs.find(({ id, session }) => id !== run.id && session !== null);
  if (earlier !== undefined && earlier.startedAt > reset.at) return null;
  await db.kysely.deleteFrom("sessions").where("lane", "=", run.lane).execute();
  return reset;
}
