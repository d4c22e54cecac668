import { failureText } from "../domain/failure-text.ts";
import type { Clock, LaneKey, RunId, TaskId } from "../domain/ids.ts";
import type { Log } from "../domain/log.ts";
import type { Run, RunEnd, RunFailure } from "../domain/run.ts";
import type { Task } from "../domain/task.ts";
import { afterFailure } from "./retry.ts";

export interface TaskBook {
  /** The task under way in the lane, if any. */
  runningIn(lane: LaneKey): Promise<Task | null>;
  /** The lane's task that is queued and due, if any. */
  dueIn(lane: LaneKey, now: number): Promise<Task | null>;
  running(): Promise<Task[]>;
  /** Counts an attempt. Null where the task was no longer queued or the lane has a run already. */
  claim(task: TaskId, run: RunId, now: number): Promise<Task | null>;
  succeed(task: TaskId, run: RunId): Promise<boolean>;
  fail(task: TaskId, run: RunId, reason: string): Promise<boolean>;
  /** With null instead of a run: one that waits. */
  cancel(task: TaskId, run: RunId | null, reason: string): Promise<boolean>;
  requeue(task: TaskId, run: RunId, change: { dueAt: number; countAttempt: boolean; reason: string }): Promise<boolean>;
}

export interface SchedulerDeps {
  clock: Clock;
  log: Log;
  tasks: TaskBook;
  runs: {
    get(run: RunId): Promise<Run | null>;
    /** Stores a new run of the task in state `preparing`. */
    create(task: Task, run: RunId, attempt: number, now: number): Promise<Run>;
    countOf(task: TaskId): Promise<number>;
    finish(run: RunId, patch: { failure: RunFailure }, now: number): Promise<void>;
  };
  giveBack(run: RunId): Promise<void>;
  /** The lane has something that its agent was not told. */
  hasNews(lane: LaneKey): Promise<boolean>;
  newRunId(): RunId;
  execute(job: { run: Run; task: Task; lastTry: boolean }, signal: AbortSignal): Promise<RunEnd>;
  maxAttempts: number;
  onRunEnd(run: Run, end: RunEnd): void;
  /** The run waits for the forge, or for the next start of the service: look at its lane again in a while. */
  onSuspended(lane: LaneKey, tries: number): void;
}

const goesOn = (run: Run): boolean => run.state === "publishing" || run.state === "reporting";
/** A suspended run that still cannot go on after so many tries in one life of the service is ended. */
const maxResumptions = 10;

/** Turns due tasks into runs, and ends of runs into the next state of their tasks. */
export class Scheduler {
  readonly #deps: SchedulerDeps;
  readonly #resumptions = new Map<RunId, number>();

  constructor(deps: SchedulerDeps) {
    this.#deps = deps;
  }

  async #settle(task: Task, run: Run, end: RunEnd): Promise<void> {
    const now = this.#deps.clock.now();
    this.#deps.log.info(
      {
        taskId: task.id,
        runId: run.id,
        end: end.kind,
        ...(end.kind === "failed" ? { failure: end.failure.kind } : {}),
      },
      "run ended",
    );
    this.#deps.onRunEnd(run, end);
    switch (end.kind) {
      case "succeeded":
        await this.#deps.tasks.succeed(task.id, run.id);
        return;
      case "cancelled":
        await this.#deps.tasks.cancel(task.id, run.id, end.why);
        return;
      case "suspended":
        this.#deps.onSuspended(run.lane, this.#resumptions.get(run.id) ?? 0);
        return;
      case "failed":
        await this.#settleFailure(task, run, end.failure, now);
        return;
      default:
        end satisfies never;
    }
  }

  async #settleFailure(task: Task, run: Run, failure: RunFailure, now: number): Promise<void> {
    const stop = (await this.#deps.tasks.runningIn(run.lane))?.stop ?? null;
    if (failure.kind === "cancelled" || stop !== null) {
      await this.#deps.tasks.cancel(task.id, run.id, stop ?? failureText(failure));
      return;
    }
    const reason = failureText(failure);
    const next = afterFailure({
      failure,
      attempts: task.attempts,
      runs: await this.#deps.runs.countOf(task.id),
      maxAttempts: this.#deps.maxAttempts,
      now,
    });
    if (next.kind === "fail") {
      await this.#deps.tasks.fail(task.id, run.id, reason);
      return;
    }
    await this.#deps.tasks.requeue(task.id, run.id, { dueAt: next.dueAt, countAttempt: next.countAttempt, reason });
  }

  /** Ends a run that cannot be told to its end; its events are given back to the lane. */
  async #cutOff(task: Task, run: Run, failure: RunFailure): Promise<void> {
    await this.#deps.giveBack(run.id);
    await this.#deps.runs.finish(run.id, { failure }, this.#deps.clock.now());
    await this.#settle(task, run, { kind: "failed", failure });
  }

  async #goOn(task: Task, run: Run, signal: AbortSignal): Promise<"again" | "idle"> {
    const tries = (this.#resumptions.get(run.id) ?? 0) + 1;
    this.#resumptions.set(run.id, tries);
    if (tries > maxResumptions) {
      const detail = "its publishing could not be finished; the work is on record in the service's mirror";
      await this.#cutOff(task, run, { kind: "forge-failed", retryable: true, detail });
      return "again";
    }
    const end = await this.#deps.execute({ run, task, lastTry: tries >= maxResumptions }, signal);
    await this.#settle(task, run, end);
    if (end.kind === "suspended") return "idle";
    this.#resumptions.delete(run.id);
    return "again";
  }

  async #continueTask(task: Task, signal: AbortSignal): Promise<"again" | "idle"> {
    const run = task.run === null ? null : await this.#deps.runs.get(task.run);
    if (run !== null && goesOn(run)) return await this.#goOn(task, run, signal);
    await this.#recoverTask(task, run);
    return "again";
  }

  /** Does the next piece of work of a lane; `again` where more may be due. The dispatcher calls it for one lane once at a time. */
  async handle(lane: LaneKey, signal: AbortSignal): Promise<"again" | "idle"> {
    const running = await this.#deps.tasks.runningIn(lane);
    if (running !== null) return await this.#continueTask(running, signal);
    const due = await this.#deps.tasks.dueIn(lane, this.#deps.clock.now());
    if (due === null) return "idle";
    const runs = await this.#deps.runs.countOf(due.id);
    // Whoever worked when its cause came was told of it. One that was tried goes on, whatever its agent was told.
    if (runs === 0 && !(await this.#deps.hasNews(lane))) {
      await this.#deps.tasks.cancel(due.id, null, "the agent was told of it while it worked");
      return "again";
    }
    const id = this.#deps.newRunId();
    const task = await this.#deps.tasks.claim(due.id, id, this.#deps.clock.now());
    if (task === null) return "idle";
    const run = await this.#deps.runs.create(task, id, runs + 1, this.#deps.clock.now());
    this.#deps.log.info({ taskId: task.id, runId: id, agent: task.agentType, attempt: run.attempt }, "run started");
    await this.#settle(task, run, await this.#deps.execute({ run, task, lastTry: false }, signal));
    return "again";
  }

  async #recoverTask(task: Task, run: Run | null): Promise<void> {
    if (run === null && task.run !== null) {
      const reason = "the service stopped before its run began";
      await this.#deps.tasks.requeue(task.id, task.run, { dueAt: this.#deps.clock.now(), countAttempt: false, reason });
      return;
    }
    if (run === null || goesOn(run)) return;
    if (run.state !== "finished" && task.stop !== null) {
      await this.#cutOff(task, run, { kind: "cancelled", retryable: false, detail: task.stop });
      return;
    }
    if (run.state !== "finished") {
      await this.#cutOff(task, run, {
        kind: "interrupted",
        retryable: true,
        detail: "the service stopped while it ran",
      });
      return;
    }
    await this.#settle(
      task,
      run,
      run.failure === null ? { kind: "succeeded" } : { kind: "failed", failure: run.failure },
    );
  }

  /** At start: runs that a crash cut off are ended and their tasks queued again; those that were publishing go on. */
  async recover(): Promise<LaneKey[]> {
    const running = await this.#deps.tasks.running();
    for (const task of running)
      await this.#recoverTask(task, task.run === null ? null : await this.#deps.runs.get(task.run));
    return running.map((task) => task.lane);
  }
}
