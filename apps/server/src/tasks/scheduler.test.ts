import { describe, expect, test } from "bun:test";
import type { EventId, LaneKey, RunId, TaskId, ThreadId } from "../domain/ids.ts";
import { silentLog } from "../domain/log.ts";
import type { Run, RunEnd } from "../domain/run.ts";
import type { Task } from "../domain/task.ts";
import { Scheduler } from "./scheduler.ts";

const lane = "dev:thread-1" as LaneKey;
const never = new AbortController().signal;

const newTask = (change: Partial<Task> = {}): Task => ({
  id: "task-1" as TaskId,
  lane,
  agentType: "dev",
  thread: "thread-1" as ThreadId,
  skill: "implement",
  state: "queued",
  attempts: 0,
  nextDueAt: 0,
  cause: "event-1" as EventId,
  run: null,
  reason: null,
  stop: null,
  createdAt: 0,
  updatedAt: 0,
  ...change,
});

const newRun = (change: Partial<Run> = {}): Run => ({
  id: "run-1" as RunId,
  task: "task-1" as TaskId,
  lane,
  thread: "thread-1" as ThreadId,
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
  startedAt: 0,
  stateTimes: {},
  finishedAt: null,
  ...change,
});

/** One lane with one task, in memory; `did` is what was done to it. */
function world(task: Task, run: Run | null, ends: RunEnd[], { news = true, runs = 0 } = {}) {
  let current = task;
  let stored = run;
  const did: string[] = [];
  const move = (what: string, change: Partial<Task>) => {
    did.push(what);
    current = { ...current, ...change };
    return Promise.resolve(true);
  };
  const scheduler = new Scheduler({
    clock: { now: () => 1_000 },
    log: silentLog,
    maxAttempts: 3,
    newRunId: () => "run-1" as RunId,
    tasks: {
      runningIn: async () => (current.state === "running" ? current : null),
      dueIn: async () => (current.state === "queued" && current.nextDueAt <= 1_000 ? current : null),
      running: async () => (current.state === "running" ? [current] : []),
      claim: async (_task, id) => {
        await move("claimed", { state: "running", run: id, attempts: current.attempts + 1 });
        return current;
      },
      succeed: () => move("succeeded", { state: "succeeded" }),
      fail: (_task, _run, reason) => move("failed", { state: "failed", reason }),
      cancel: (_task, _run, reason) => move("cancelled", { state: "cancelled", reason }),
      requeue: (_task, _run, { dueAt, countAttempt }) =>
        move(`queued for ${dueAt}${countAttempt ? ", counted" : ""}`, { state: "queued", nextDueAt: dueAt, run: null }),
    },
    runs: {
      get: async () => stored,
      create: async (of, id) => (stored = newRun({ task: of.id, id })),
      countOf: async () => runs,
      finish: async (_run, { failure }) => void did.push(`run ended: ${failure.kind}`),
    },
    giveBack: async () => void did.push("events given back"),
    hasNews: async () => news,
    execute: async () => {
      did.push("executed");
      return ends.shift() ?? { kind: "succeeded" };
    },
    onRunEnd: () => {},
    onSuspended: () => void did.push("looked at again later"),
  });
  return { scheduler, did, task: () => current };
}

describe("the scheduler", () => {
  test("claims a due task, runs it, and ends it", async () => {
    const { scheduler, did } = world(newTask(), null, [{ kind: "succeeded" }]);
    expect(await scheduler.handle(lane, never)).toBe("again");
    expect(await scheduler.handle(lane, never)).toBe("idle");
    expect(did).toEqual(["claimed", "executed", "succeeded"]);
  });

  test("starts nothing for what the agent was told while it worked, but tries again what was tried", async () => {
    const told = world(newTask(), null, [], { news: false });
    expect(await told.scheduler.handle(lane, never)).toBe("again");
    expect(told.did).toEqual(["cancelled"]);
    expect(told.task()).toMatchObject({ reason: "the agent was told of it while it worked" });
    const tried = world(newTask(), null, [{ kind: "succeeded" }], { news: false, runs: 1 });
    await tried.scheduler.handle(lane, never);
    expect(tried.did).toEqual(["claimed", "executed", "succeeded"]);
  });

  test("calls a task off whose run a person stopped, also where a crash came between", async () => {
    const failure = { kind: "cancelled", retryable: false, detail: "ada stopped it" } as const;
    const stopped = world(newTask(), null, [{ kind: "failed", failure }]);
    await stopped.scheduler.handle(lane, never);
    expect(stopped.did).toEqual(["claimed", "executed", "cancelled"]);
    const running = newTask({ state: "running", run: "run-1" as RunId, stop: "ada stopped it" });
    const crashed = world(running, newRun({ state: "running" }), []);
    await crashed.scheduler.recover();
    expect(crashed.did).toEqual(["events given back", "run ended: cancelled", "cancelled"]);
    expect(crashed.task()).toMatchObject({ reason: "ada stopped it" });
  });

  test("leaves a task alone that is not due", async () => {
    const { scheduler, did } = world(newTask({ nextDueAt: 2_000 }), null, []);
    expect(await scheduler.handle(lane, never)).toBe("idle");
    expect(did).toEqual([]);
  });

  test("queues a task again after a failure that a retry can help, and fails it otherwise", async () => {
    const crash = { kind: "failed", failure: { kind: "agent-crashed", retryable: true, detail: "" } } as const;
    const first = world(newTask(), null, [crash]);
    await first.scheduler.handle(lane, never);
    expect(first.did).toContain("queued for 16000, counted");
    const last = world(newTask({ attempts: 2 }), null, [crash]);
    await last.scheduler.handle(lane, never);
    expect(last.task()).toMatchObject({ state: "failed", reason: expect.stringContaining("process ended") });
  });

  test("ends a run that a crash cut off, gives its events back and queues its task at once", async () => {
    const running = newTask({ state: "running", run: "run-1" as RunId });
    const { scheduler, did } = world(running, newRun({ state: "running" }), []);
    expect(await scheduler.recover()).toEqual([lane]);
    expect(did).toEqual(["events given back", "run ended: interrupted", "queued for 1000"]);
  });

  test("goes on with a run that a crash stopped in publishing, without a new one", async () => {
    const running = newTask({ state: "running", run: "run-1" as RunId });
    const { scheduler, did } = world(running, newRun({ state: "publishing" }), []);
    await scheduler.recover();
    expect(await scheduler.handle(lane, never)).toBe("again");
    expect(did).toEqual(["executed", "succeeded"]);
  });

  test("queues a task whose run was never stored", async () => {
    const { scheduler, did } = world(newTask({ state: "running", run: "run-1" as RunId }), null, []);
    await scheduler.recover();
    expect(did).toEqual(["queued for 1000"]);
  });

  test("settles a task whose run had ended when the service died", async () => {
    const running = newTask({ state: "running", run: "run-1" as RunId });
    const { scheduler, did } = world(running, newRun({ state: "finished", finishedAt: 5 }), []);
    await scheduler.recover();
    expect(did).toEqual(["succeeded"]);
  });

  test("tries a suspended run again later, but not for ever", async () => {
    const running = newTask({ state: "running", run: "run-1" as RunId });
    const suspended = Array.from({ length: 20 }, (): RunEnd => ({ kind: "suspended" }));
    const { scheduler, did } = world(running, newRun({ state: "publishing" }), suspended);
    for (let time = 0; time < 20; time++) await scheduler.handle(lane, never);
    expect(did.filter((what) => what === "executed").length).toBeLessThan(20);
    expect(did).toContain("run ended: forge-failed");
  });
});
