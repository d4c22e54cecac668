import type { Config } from "../config/config.ts";
import { branchFor } from "../domain/agent.ts";
import type { Clock, LaneKey, RunId } from "../domain/ids.ts";
import type { Log } from "../domain/log.ts";
import type { Run, RunEnd } from "../domain/run.ts";
import type { Timers } from "../domain/timers.ts";
import { createEventStore } from "../infrastructure/database/events.ts";
import type { Database } from "../infrastructure/database/handle.ts";
import { createInboxStore } from "../infrastructure/database/inbox.ts";
import { createRunStore } from "../infrastructure/database/runs.ts";
import { createTaskStore } from "../infrastructure/database/tasks.ts";
import { createThreadStore } from "../infrastructure/database/threads.ts";
import { newId } from "../infrastructure/ids.ts";
import type { Metrics } from "../infrastructure/metrics.ts";
import { executeRun } from "../runs/execute.ts";
import type { LiveRuns } from "../runs/live.ts";
import type { AgentRequest, Outbox, RunDeps, Workplaces } from "../runs/ports.ts";
import type { Redact } from "../security/redact.ts";
import { renderNews } from "../sessions/inbox.ts";
import type { Skill } from "../sessions/prompt.ts";
import { Scheduler } from "../tasks/scheduler.ts";
import type { ForgeUsers } from "./forges.ts";
import { entriesOf, forgottenBefore } from "./lane-memory.ts";
import { promptsFor } from "./prompts.ts";

export interface RunsDeps {
  config: Config;
  clock: Clock;
  timers: Timers;
  log: Log;
  db: Database;
  metrics: Metrics;
  users: ForgeUsers;
  skills(): ReadonlyMap<string, Skill>;
  workplaces: Workplaces;
  outbox: Outbox;
  live: LiveRuns;
  history: RunDeps["history"];
  runAgent(request: AgentRequest, signal: AbortSignal): ReturnType<RunDeps["runAgent"]>;
  redact: Redact;
  wake(lane: LaneKey, at: number): void;
  /** The run's record has changed. */
  changed(run: RunId): void;
}

/** When a run that waits for the forge is looked at again: doubling, so that ten looks span some six minutes. */
const firstLookMs = 2_000;
const longestLookMs = 60_000;

/** The scheduler with the stores and the run story that it needs. */
export function createRuns(deps: RunsDeps): Scheduler {
  const { clock, db, log, config, metrics } = deps;
  const tasks = createTaskStore(db);
  const runs = createRunStore(db);
  const inbox = createInboxStore(db);
  const story = storyDeps(deps);
  return new Scheduler({
    clock,
    log,
    maxAttempts: config.limits.runAttempts,
    newRunId: newId.run,
    tasks: {
      ...tasks,
    },
    runs: {
      get: (id) => runs.get(id),
      countOf: async (task) => (await runs.attemptsOf(task)).length,
      async finish(run, patch, now) {
        await runs.finish(run, patch, now);
        deps.changed(run);
      },
      async create(task, id, attempt, now) {
        const thread = await createThreadStore(db).get(task.thread);
        const agent = config.agents[task.agentType]?.type ?? { branchPrefix: task.agentType };
        const run = newRun(task, { id, attempt, now, branch: branchFor(agent, thread?.number ?? 0) });
        await runs.create(run);
        return run;
      },
    },
    giveBack: async (run) => void (await inbox.giveBack(run)),
    hasNews: async (lane) => (await inbox.pending(lane)).length > 0,
    execute: (job, signal) => executeRun(story, job, signal),
    onRunEnd: (run, end) => {
      metrics.runFinished(run.agentType, outcomeLabel(end));
      deps.changed(run.id);
    },
    onSuspended: (lane, tries) => deps.wake(lane, clock.now() + Math.min(longestLookMs, firstLookMs * 2 ** tries)),
  });
}

const outcomeLabel = (end: RunEnd): string => (end.kind === "failed" ? end.failure.kind : end.kind);

interface Beginning {
  id: RunId;
  attempt: number;
  branch: string;
  now: number;
}

function newRun(
  task: Pick<Run, "lane" | "thread" | "agentType" | "skill"> & { id: Run["task"] },
  { id, attempt, branch, now }: Beginning,
): Run {
  return {
    id,
    task: task.id,
    lane: task.lane,
    thread: task.thread,
    agentType: task.agentType,
    skill: task.skill,
    attempt,
    state: "preparing",
    session: null,
    start: null,
    branch,
    headBefore: null,
    headAfter: null,
    base: null,
    commits: 0,
    pullRequest: null,
    report: null,
    failure: null,
    startedAt: now,
    stateTimes: { preparing: now },
    finishedAt: null,
  };
}

function storyDeps(deps: RunsDeps): RunDeps {
  const { config, clock, log, db, users, metrics } = deps;
  const runs = createRunStore(db);
  const inbox = createInboxStore(db);
  const threads = createThreadStore(db);
  return {
    clock,
    log,
    redact: deps.redact,
    runAttempts: config.limits.runAttempts,
    workplaces: deps.workplaces,
    outbox: deps.outbox,
    events: createEventStore(db),
    runs: {
      get: (id) => runs.get(id),
      ofLane: (lane, limit) => runs.list({ lane, limit }),
      async enter(run, from, to, patch, now) {
        const moved = await runs.enter(run, from, to, patch, now);
        deps.changed(run);
        return moved;
      },
      update: async (run, patch) => void (await runs.update(run, patch)),
      async finish(run, patch, now) {
        await runs.finish(run, patch, now);
        deps.changed(run);
      },
    },
    inbox: {
      pending: (lane) => inbox.pending(lane),
      offer: async (run, lane, events) => void (await inbox.offer(lane, run, events)),
      consume: async (run, events) => void (await inbox.consume(run, events)),
      giveBack: async (run, events) => void (await inbox.giveBack(run, events)),
    },
    entries: (ids) => entriesOf(db, (forge) => users.service(forge), ids),
    threads: {
      get: (id) => threads.get(id),
      linkRef: async (thread, number) => void (await threads.linkRef(thread, number)),
    },
    numbers: (thread) => threads.numbersOf(thread),
    prompts: (inputs) => promptsFor(deps.skills(), inputs),
    steer: renderNews,
    live: deps.live,
    forgotten: (run) => forgottenBefore(db, run),
    history: deps.history,
    isOurs: (thread, login) => users.isOurs(thread.forge, login),
    async runAgent(request, signal) {
      const outcome = await deps.runAgent(request, signal);
      metrics.sessionStart(outcome.start.kind === "resumed" ? "resumed" : outcome.start.reason);
      return outcome;
    },
    agent: (name) => config.agents[name]?.type ?? null,
    repositorySettings: (thread) =>
      config.repositories.find(({ forge, id }) => forge === thread.forge && id === thread.repositoryId) ?? null,
    forge: (thread) => users.service(thread.forge),
  };
}
