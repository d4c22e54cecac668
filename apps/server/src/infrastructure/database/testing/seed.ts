import type { Delivery } from "../../../domain/delivery.ts";
import type { Effect } from "../../../domain/effect.ts";
import type { ForgeEvent, Snapshot } from "../../../domain/event.ts";
import {
  type DeliveryId,
  type EventId,
  type ForgeId,
  type LaneKey,
  laneKey,
  type RunId,
  type TaskId,
  type ThreadId,
} from "../../../domain/ids.ts";
import type { Run } from "../../../domain/run.ts";
import type { Thread } from "../../../domain/thread.ts";
import { newId } from "../../ids.ts";
import { createEventStore } from "../events.ts";
import type { Handle } from "../handle.ts";
import { createRunStore } from "../runs.ts";
import { createTaskStore } from "../tasks.ts";
import { createThreadStore } from "../threads.ts";

export const forge = "codeberg" as ForgeId;
export const repositoryId = 7;

export const delivery = (over: Partial<Delivery> = {}): Delivery => ({
  id: newId.delivery(),
  forge,
  hookId: "main",
  uuid: crypto.randomUUID(),
  event: "issues",
  eventType: "issue_assign",
  body: new TextEncoder().encode(`{"action":"assigned"}`),
  receivedAt: 1_000,
  ...over,
});

export const snapshot = (number: number, over: Partial<Snapshot> = {}): Snapshot => ({
  kind: "issue",
  issueId: 1000 + number,
  number,
  title: "Round up",
  body: "It rounds down.",
  author: { id: 3, login: "ada" },
  state: "open",
  labels: ["bug"],
  assignees: [],
  pull: null,
  createdAt: 1_000,
  updatedAt: 2_000,
  ...over,
});

export const event = (
  over: {
    thread?: ThreadId | null;
    semanticKey?: string;
    delivery?: DeliveryId;
    id?: EventId;
    repository?: number;
  } = {},
): ForgeEvent => ({
  id: over.id ?? newId.event(),
  semanticKey: over.semanticKey ?? `test:${crypto.randomUUID()}`,
  repository: { forge, id: over.repository ?? repositoryId, name: "ada/engine" },
  thread: over.thread ?? null,
  actor: { id: 3, login: "ada" },
  receivedAt: 5_000,
  delivery: over.delivery ?? null,
  kind: "issue.assigned",
  subject: snapshot(1),
  assignee: { id: 9, login: "dev-agent" },
});

export const threadOn = (handle: Handle, number: number): Promise<Thread> =>
  createThreadStore(handle).ensureThread({ forge, repositoryId, repository: "ada/engine", number, kind: "issue" });

export async function storedEvent(handle: Handle, thread: ThreadId | null = null): Promise<EventId> {
  const stored = event({ thread });
  await createEventStore(handle).insert(stored);
  return stored.id;
}

export interface Seed {
  thread: Thread;
  lane: LaneKey;
  cause: EventId;
}

/** A thread with an event on it, and the lane of `dev` there. */
export async function seed(handle: Handle, number = 1): Promise<Seed> {
  const thread = await threadOn(handle, number);
  return { thread, lane: laneKey("dev", thread.id), cause: await storedEvent(handle, thread.id) };
}

export const runOf = (task: TaskId, { thread, lane }: Seed, over: Partial<Run> = {}): Run => ({
  id: newId.run(),
  task,
  lane,
  thread: thread.id,
  agentType: "dev",
  skill: "implement",
  attempt: 1,
  state: "preparing",
  session: null,
  start: null,
  branch: "agent/1",
  headBefore: null,
  headAfter: null,
  base: null,
  commits: 0,
  pullRequest: null,
  report: null,
  failure: null,
  startedAt: 7_000,
  stateTimes: { preparing: 7_000 },
  finishedAt: null,
  ...over,
});

/** A run in `preparing` of a task that waits. */
export async function storedRun(handle: Handle, at: Seed): Promise<RunId> {
  const { task } = await createTaskStore(handle).enqueue({
    lane: at.lane,
    agentType: "dev",
    thread: at.thread.id,
    skill: "implement",
    cause: at.cause,
    dueAt: 0,
  });
  const run = runOf(task.id, at);
  await createRunStore(handle).create(run);
  return run.id;
}

export const effectOn = (thread: ThreadId, over: Partial<Effect> = {}): Effect => ({
  id: newId.effect(),
  key: crypto.randomUUID(),
  forge,
  author: "service",
  repositoryId,
  thread,
  run: null,
  body: { kind: "upsert_comment", number: 1, marker: "m", body: "Done." },
  preconditions: [{ kind: "issue_open", number: 1 }],
  state: "pending",
  attempts: 0,
  nextAttemptAt: 0,
  result: null,
  error: null,
  createdAt: 1_000,
  ...over,
});
