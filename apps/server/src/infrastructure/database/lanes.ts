import type { ForgeId, LaneKey, SessionId, ThreadId } from "../../domain/ids.ts";
import type { Lane, LaneReset } from "../../domain/lane.ts";
import type { Handle } from "./handle.ts";

/** Which lanes there are. A lane exists from its first task on. */
export interface LaneStore {
  ofThread(thread: ThreadId): Promise<Lane[]>;
  /** Those that had a run on this branch of the repository. */
  ofBranch(forge: ForgeId, repositoryId: number, branch: string): Promise<Lane[]>;
  /** Its agent is to forget: this session is not resumed any more. The newest one counts. */
  reset(lane: LaneKey, reset: LaneReset): Promise<void>;
  lastReset(lane: LaneKey): Promise<LaneReset | null>;
}

export function createLaneStore({ kysely }: Handle): LaneStore {
  return {
    async ofThread(thread) {
      const query = kysely.selectFrom("tasks").select(["lane", "agent_type", "thread_id"]).distinct();
      return (await query.where("thread_id", "=", thread).orderBy("lane").execute()).map(laneFrom);
    },
    async ofBranch(forge, repositoryId, branch) {
      const rows = await kysely
        .selectFrom("runs")
        .innerJoin("threads", "threads.id", "runs.thread_id")
        .select(["runs.lane", "runs.agent_type", "runs.thread_id"])
        .distinct()
        .where("threads.forge", "=", forge)
        .where("threads.repository_id", "=", repositoryId)
        .where("runs.branch", "=", branch)
        .orderBy("runs.lane")
        .execute();
      return rows.map(laneFrom);
    },
    async reset(lane, { session, by, at }) {
      const values = { session_id: session, asked_by: by, asked_at: at };
      await kysely
        .insertInto("lane_resets")
        .values({ lane, ...values })
        .onConflict((conflict) => conflict.column("lane").doUpdateSet(values))
        .execute();
    },
    async lastReset(lane) {
      const row = await kysely.selectFrom("lane_resets").selectAll().where("lane", "=", lane).executeTakeFirst();
      return row ? { session: row.session_id as SessionId | null, by: row.asked_by, at: row.asked_at } : null;
    },
  };
}

const laneFrom = (row: { lane: string; agent_type: string; thread_id: string }): Lane => ({
  key: row.lane as LaneKey,
  agentType: row.agent_type,
  thread: row.thread_id as ThreadId,
});
