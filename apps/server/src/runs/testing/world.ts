import type { AgentType } from "../../domain/agent.ts";
import type { EffectResult } from "../../domain/effect.ts";
import type { CommentRef, ForgeEvent, Snapshot } from "../../domain/event.ts";
import type { RepositoryInfo } from "../../domain/forge.ts";
import type { EventId, ForgeId, LaneKey, RunId, SessionId, TaskId, ThreadId } from "../../domain/ids.ts";
import { silentLog } from "../../domain/log.ts";
import type { AgentOutcome, AgentReport, Published, Run } from "../../domain/run.ts";
import type { Task } from "../../domain/task.ts";
import type { Thread } from "../../domain/thread.ts";
import { LiveRuns } from "../live.ts";
import type { EffectEnd, Job, NewEffect, RunDeps } from "../ports.ts";

const thread: Thread = {
  id: "thread-1" as ThreadId,
  forge: "main" as ForgeId,
  repositoryId: 7,
  repository: "acme/widgets",
  number: 12,
  kind: "issue",
};
const lane = "dev:thread-1" as LaneKey;
const alice = { id: 3, login: "alice" };
const devBot = { id: 4, login: "dev-bot" };

export const issue = (change: Partial<Snapshot> = {}): Snapshot => ({
  kind: "issue",
  issueId: 112,
  number: 12,
  title: "Crash on empty name",
  body: "Steps: open, crash.",
  author: alice,
  state: "open",
  labels: [],
  assignees: [devBot],
  pull: null,
  createdAt: 1_000,
  updatedAt: 2_000,
  ...change,
});

export const assigned: ForgeEvent = {
  id: "event-1" as EventId,
  semanticKey: "main/7/issue:112:assigned:4:2000",
  repository: { forge: thread.forge, id: 7, name: "acme/widgets" },
  thread: thread.id,
  actor: alice,
  receivedAt: 3_000,
  delivery: null,
  kind: "issue.assigned",
  subject: issue(),
  assignee: devBot,
};

const task: Task = {
  id: "task-1" as TaskId,
  lane,
  agentType: "dev",
  thread: thread.id,
  skill: "implement",
  state: "running",
  attempts: 0,
  nextDueAt: 0,
  cause: assigned.id,
  run: "run-00000001" as RunId,
  reason: null,
  stop: null,
  createdAt: 3_000,
  updatedAt: 3_000,
};

export const newRun = (change: Partial<Run> = {}): Run => ({
  id: "run-00000001" as RunId,
  task: task.id,
  lane,
  thread: thread.id,
  agentType: "dev",
  skill: "implement",
  attempt: 1,
  state: "preparing",
  session: null,
  start: null,
  branch: "dev/12",
  headBefore: null,
  headAfter: null,
  base: null,
  commits: 0,
  pullRequest: null,
  report: null,
  failure: null,
  startedAt: 10_000,
  stateTimes: { preparing: 10_000 },
  finishedAt: null,
  ...change,
});

const agentReport: AgentReport = {
  summary: "Fixed it.",
  turns: 4,
  costUsd: 0.0123,
  inputTokens: 10,
  outputTokens: 5,
};

export const completed: AgentOutcome & { report: AgentReport } = {
  kind: "completed",
  report: agentReport,
  session: "session-1" as SessionId,
  start: { kind: "fresh", reason: "none", detail: null },
};

export const published: Published = {
  kind: "published",
  head: "b".repeat(40),
  commits: 1,
  subjects: ["Fix the crash"],
  shortstat: "1 file changed",
  uncommitted: false,
};

const agent: AgentType = {
  name: "dev",
  logins: { main: "dev-bot" },
  gitName: "Dev",
  gitEmail: "dev@example.org",
  branchPrefix: "dev",
  model: "m",
  tools: [],
  deadlineMs: 1,
  stallMs: 1,
};

const repository: RepositoryInfo = {
  id: 7,
  name: "acme/widgets",
  defaultBranch: "main",
  cloneUrl: "",
  webUrl: "",
  archived: false,
};

/** Comments of the thread. */
export const comment = (id: number, login: string, body: string): CommentRef => ({
  id,
  body,
  author: { id: 90, login },
  url: `http://forge/comments/${id}`,
  createdAt: id * 1_000,
  updatedAt: id * 1_000,
});

export const forge: ReturnType<RunDeps["forge"]> = {
  repository: async () => repository,
  issue: async () => issue(),
  comments: async () => [],
  permission: async () => "write",
};

/** What a run that goes well meets. */
const fixed = {
  clock: { now: () => 20_000 },
  log: silentLog,
  runAttempts: 3,
  events: { get: async (id) => (id === assigned.id ? assigned : null) },
  workplaces: {
    prepare: async () => ({
      head: "a".repeat(40),
      base: { branch: "main", sha: "a".repeat(40), forgeHead: null },
      notes: [],
    }),
    publish: async () => published,
  },
  entries: async (ids) => ids.filter((id) => id === assigned.id).map(() => ({ event: assigned, tier: "maintainer" })),
  prompts: () => ({
    system: "system",
    fresh: "fresh",
    resumed: "resumed",
    rebuilt: ({ summary, comments }) => `rebuilt from ${summary} and ${comments.length} comments`,
    told: [assigned.id],
  }),
  steer: (entries) => ({
    text: `news: ${entries.map(({ event }) => event.id).join(", ")}`,
    told: entries.map(({ event }) => event.id),
  }),
  forgotten: async () => null,
  history: async () => ({ log: "abc Fix", diff: "+fixed" }),
  isOurs: (_thread, login) => login === "dev-bot",
  numbers: async () => [12],
  runAgent: async () => completed,
  agent: () => agent,
  repositorySettings: () => ({ baseBranch: null, setup: null, testCommand: null }),
  forge: () => forge,
  redact: (text) => text.replaceAll("s3cret", "[redacted]"),
} satisfies Partial<RunDeps>;

/** Hand-written fakes of everything that a run meets, with what it did to them. */
export function world(change: Partial<RunDeps> = {}, run = newRun()) {
  let current = run;
  const effects: NewEffect[] = [];
  const steps: string[] = [];
  const pullRequest: EffectResult = { kind: "pull_request", number: 13, url: "http://forge/acme/widgets/pulls/13" };
  const ended: EffectEnd = { state: "done", result: pullRequest };
  const live = new LiveRuns();
  const deps: RunDeps = {
    ...fixed,
    live,
    runs: {
      enter: async (_id, from, to, patch) => {
        if (current.state !== from) return false;
        current = { ...current, ...patch, state: to };
        steps.push(to);
        return true;
      },
      update: async (_id, patch) => void (current = { ...current, ...patch }),
      finish: async (_id, patch, now) => {
        current = { ...current, ...patch, state: "finished", finishedAt: now };
        steps.push("finished");
      },
      get: async () => current,
      ofLane: async () => [current],
    },
    inbox: {
      pending: async () => [assigned.id],
      offer: async () => {},
      consume: async (_run, events) => void steps.push(`consumed ${events.join(", ")}`),
      giveBack: async () => void steps.push("given back"),
    },
    threads: { get: async () => thread, linkRef: async (_id, number) => void steps.push(`linked #${number}`) },
    outbox: {
      enqueue: async (effect) => void (effects.some(({ key }) => key === effect.key) || effects.push(effect)),
      ended: async () => ended,
    },
    ...change,
  };
  const job: Job = { run, task, lastTry: false };
  return { deps, job, live, effects, steps, run: () => current };
}
