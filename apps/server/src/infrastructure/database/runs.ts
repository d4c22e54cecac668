import type { Updateable } from "kysely";
import type { LaneKey, RunId, SessionId, TaskId, ThreadId } from "../../domain/ids.ts";
import type { Run, RunState } from "../../domain/run.ts";
import type { Handle } from "./handle.ts";
import { changed, defaultPage, type Page } from "./results.ts";
import type { RunRow } from "./schema.ts";

/** What is learned of a run while it goes on. */
export type RunPatch = Partial<
  Pick<
    Run,
    | "session"
    | "start"
    | "branch"
    | "headBefore"
    | "headAfter"
    | "base"
    | "commits"
    | "pullRequest"
    | "report"
    | "failure"
  >
>;

export interface RunStore {
  /** Stores it in the state that it is in, entered at `startedAt`. */
  create(run: Run): Promise<void>;
  /** False, and nothing changes, where the run is not in `from`. */
  enter(id: RunId, from: RunState, to: RunState, patch: RunPatch, now: number): Promise<boolean>;
  /** Learns the patch without moving on. False where it is finished. */
  update(id: RunId, patch: RunPatch): Promise<boolean>;
  /** False where it is finished already. */
  finish(id: RunId, patch: RunPatch, now: number): Promise<boolean>;
  /** Oldest first. */
  unfinished(): Promise<Run[]>;
  get(id: RunId): Promise<Run | null>;
  /** Those whose id begins or ends so, at most ten, newest first. Ids of one minute begin alike, so their ends are the shorter name. */
  findByPart(part: string): Promise<Run[]>;
  /** Newest first. */
  list(page?: Page<RunId> & { thread?: ThreadId; lane?: LaneKey }): Promise<Run[]>;
  latestForLane(lane: LaneKey): Promise<Run | null>;
  /** Oldest first. */
  attemptsOf(task: TaskId): Promise<Run[]>;
}

export function createRunStore({ kysely }: Handle): RunStore {
  const all = () => kysely.selectFrom("runs").selectAll();
  return {
    async create(run) {
      await kysely.insertInto("runs").values(rowFrom(run)).execute();
    },
    async enter(id, from, to, patch, now) {
      const update = kysely.updateTable("runs").set({ state: to, [timeColumns[to]]: now, ...columnsOf(patch) });
      return changed(await update.where("id", "=", id).where("state", "=", from).executeTakeFirstOrThrow());
    },
    async update(id, patch) {
      // A patch of nothing still says whether the run is under way.
      const update = kysely.updateTable("runs").set({ id, ...columnsOf(patch) });
      return changed(await update.where("id", "=", id).where("state", "<>", "finished").executeTakeFirstOrThrow());
    },
    async finish(id, patch, now) {
      const update = kysely.updateTable("runs").set({ state: "finished", finished_at: now, ...columnsOf(patch) });
      return changed(await update.where("id", "=", id).where("state", "<>", "finished").executeTakeFirstOrThrow());
    },
    async unfinished() {
      return (await all().where("state", "<>", "finished").orderBy("id").execute()).map(runFrom);
    },
    async get(id) {
      const row = await all().where("id", "=", id).executeTakeFirst();
      return row ? runFrom(row) : null;
    },
    async findByPart(part) {
      if (!/^[0-9a-f-]+$/.test(part)) return [];
      const query = all().where((where) =>
        where.or([where("id", "like", `${part}%`), where("id", "like", `%${part}`)]),
      );
      return (await query.orderBy("id", "desc").limit(10).execute()).map(runFrom);
    },
    async list({ before, limit = defaultPage, thread, lane } = {}) {
      let query = all();
      if (before !== undefined) query = query.where("id", "<", before);
      if (thread !== undefined) query = query.where("thread_id", "=", thread);
      if (lane !== undefined) query = query.where("lane", "=", lane);
      return (await query.orderBy("id", "desc").limit(limit).execute()).map(runFrom);
    },
    async latestForLane(lane) {
      const row = await all().where("lane", "=", lane).orderBy("id", "desc").limit(1).executeTakeFirst();
      return row ? runFrom(row) : null;
    },
    async attemptsOf(task) {
      return (await all().where("task_id", "=", task).orderBy("id").execute()).map(runFrom);
    },
  };
}

const timeColumns = {
  preparing: "preparing_at",
  starting: "starting_at",
  running: "running_at",
  publishing: "publishing_at",
  reporting: "reporting_at",
  finished: "finished_at",
} as const satisfies Record<RunState, keyof RunRow>;

const states = Object.keys(timeColumns) as RunState[];

/** Only what the patch names. */
function columnsOf(patch: RunPatch): Updateable<RunRow> {
  const columns: Updateable<RunRow> = {};
  if (patch.session !== undefined) columns.session_id = patch.session;
  if (patch.start !== undefined) columns.start = json(patch.start);
  if (patch.branch !== undefined) columns.branch = patch.branch;
  if (patch.headBefore !== undefined) columns.head_before = patch.headBefore;
  if (patch.headAfter !== undefined) columns.head_after = patch.headAfter;
  if (patch.base !== undefined) columns.base = json(patch.base);
  if (patch.base !== undefined) columns.base = json(patch.base);
  if (patch.commits !== undefined) columns.commits = patch.commits;
  if (patch.pullRequest !== undefined) columns.pull_request = patch.pullRequest;
  if (patch.report !== undefined) columns.report = json(patch.report);
  if (patch.failure !== undefined) columns.failure = json(patch.failure);
  return columns;
}

const rowFrom = (run: Run): RunRow => ({
  id: run.id,
  task_id: run.task,
  lane: run.lane,
  thread_id: run.thread,
  agent_type: run.agentType,
  skill: run.skill,
  attempt: run.attempt,
  state: run.state,
  session_id: run.session,
  start: json(run.start),
  branch: run.branch,
  head_before: run.headBefore,
  head_after: run.headAfter,
  base: json(run.base),
  commits: run.commits,
  pull_request: run.pullRequest,
  report: json(run.report),
  failure: json(run.failure),
  started_at: run.startedAt,
  preparing_at: run.stateTimes.preparing ?? null,
  starting_at: run.stateTimes.starting ?? null,
  running_at: run.stateTimes.running ?? null,
  publishing_at: run.stateTimes.publishing ?? null,
  reporting_at: run.stateTimes.reporting ?? null,
  finished_at: run.finishedAt,
  [timeColumns[run.state]]: run.stateTimes[run.state] ?? run.startedAt,
});

const runFrom = (row: RunRow): Run => ({
  id: row.id as RunId,
  task: row.task_id as TaskId,
  lane: row.lane as LaneKey,
  thread: row.thread_id as ThreadId,
  agentType: row.agent_type,
  skill: row.skill,
  attempt: row.attempt,
  state: row.state as RunState,
  session: row.session_id as SessionId | null,
  start: parsed(row.start) as Run["start"],
  branch: row.branch,
  headBefore: row.head_before,
  headAfter: row.head_after,
  base: parsed(row.base) as Run["base"],
  commits: row.commits,
  pullRequest: row.pull_request,
  report: parsed(row.report) as Run["report"],
  failure: parsed(row.failure) as Run["failure"],
  startedAt: row.started_at,
  stateTimes: stateTimesOf(row),
  finishedAt: row.finished_at,
});

function stateTimesOf(row: RunRow): Run["stateTimes"] {
  const times: Run["stateTimes"] = {};
  for (const state of states) {
    const at = row[timeColumns[state]];
    if (at !== null) times[state] = at;
  }
  return times;
}

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

const parsed = (text: string | null): unknown => (text === null ? null : JSON.parse(text));
