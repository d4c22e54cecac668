import type { Config } from "../config/config.ts";
import type { Effect, EffectBody } from "../domain/effect.ts";
import type { ForgeEvent } from "../domain/event.ts";
import { type Clock, type LaneKey, laneKey } from "../domain/ids.ts";
import type { Lane, LaneAct, LaneStatus } from "../domain/lane.ts";
import type { Thread } from "../domain/thread.ts";
import type { Decided, Work } from "../flows/handle.ts";
import { createEffectStore } from "../infrastructure/database/effects.ts";
import { createEventStore } from "../infrastructure/database/events.ts";
import type { Database, Handle } from "../infrastructure/database/handle.ts";
import { createInboxStore } from "../infrastructure/database/inbox.ts";
import { createLaneLife } from "../infrastructure/database/lane-life.ts";
import { createLaneStore } from "../infrastructure/database/lanes.ts";
import { createSessionRecords } from "../infrastructure/database/session-records.ts";
import { createTaskStore } from "../infrastructure/database/tasks.ts";
import { createThreadStore } from "../infrastructure/database/threads.ts";
import { newId } from "../infrastructure/ids.ts";
import type { LiveRuns } from "../runs/live.ts";
import { noteEnd } from "./ends.ts";
import { serviceAuthor } from "./forges.ts";

export interface DecidedDeps {
  config: Pick<Config, "limits" | "agents">;
  clock: Clock;
  db: Database;
  live: Pick<LiveRuns, "news" | "stop">;
  wake(lane: LaneKey, at: number): void;
  wakeOutbox(): void;
  /** A thread's work has ended. */
  ended(): void;
}

/** Puts on record what was decided on an event and does what follows from it, all or nothing; then tells those at work. */
export async function recordDecided(deps: DecidedDeps, decided: Decided): Promise<void> {
  const { event, facts, decisions, dispatches, inboxes, acts } = decided;
  const due: { lane: LaneKey; at: number }[] = [];
  let ended = false;
  await deps.db.transaction(async (tx) => {
    await createEventStore(tx).saveDecisions(event.id, facts, decisions);
    const told = [...inboxes, ...dispatches.map(({ agentType, thread }) => laneKey(agentType, thread))];
    for (const lane of new Set(told)) await createInboxStore(tx).add(lane, event.id);
    for (const work of dispatches) due.push(await enqueue(deps, tx, event, work));
    for (const act of acts) await perform(tx, act);
    for (const effect of await answers(deps, tx, decided)) await createEffectStore(tx).enqueue(effect);
    ended = await noteEnd(tx, deps.config, event);
    await createEventStore(tx).markDecided(event.id);
  });
  if (ended) deps.ended();
  for (const { lane, at } of due) deps.wake(lane, at);
  for (const act of acts) if (act.kind === "stop") deps.live.stop(act.lane.key, act.why);
  for (const lane of inboxes) deps.live.news(lane);
  deps.wakeOutbox();
}

async function enqueue(
  { clock, config }: DecidedDeps,
  tx: Handle,
  event: ForgeEvent,
  { agentType, skill, thread, gathers }: Work,
): Promise<{ lane: LaneKey; at: number }> {
  const now = clock.now();
  const { gatherMs, gatherMaxMs } = config.limits;
  const when = gathers ? { dueAt: now + gatherMs, gathersUntil: now + gatherMaxMs } : { dueAt: now };
  const lane = laneKey(agentType, thread);
  const { task } = await createTaskStore(tx).enqueue({ lane, agentType, thread, skill, cause: event.id, ...when });
  return { lane, at: task.nextDueAt };
}

async function perform(tx: Handle, act: LaneAct): Promise<void> {
  const lane = act.lane.key;
  switch (act.kind) {
    case "stop": {
      const tasks = createTaskStore(tx);
      const [running, waiting] = [await tasks.runningIn(lane), await tasks.waitingIn(lane)];
      if (running !== null) await tasks.stop(running.id, act.why);
      if (waiting !== null) await tasks.cancel(waiting.id, null, act.why);
      await createLaneLife(tx).settleAge(lane);
      return;
    }
    case "reset": {
      const session = (await createSessionRecords(tx).get(lane))?.id ?? null;
      await createLaneStore(tx).reset(lane, { session, by: act.by, at: tx.clock.now() });
      await tx.kysely.deleteFrom("sessions").where("lane", "=", lane).execute();
      return;
    }
    default:
      act satisfies never;
  }
}

/** How the author of commands hears what came of them: a reaction, and one comment where some were refused. */
async function answers({ clock }: DecidedDeps, tx: Handle, { event, reaction, refusals }: Decided): Promise<Effect[]> {
  if (event.kind !== "comment.created" || event.thread === null) return [];
  const thread = await createThreadStore(tx).get(event.thread);
  if (thread === null) return [];
  const { id: commentId, url } = event.comment;
  const effects: Effect[] = [];
  const add = (name: string, body: EffectBody): void =>
    void effects.push(newEffect({ thread, key: `event:${event.id}:${name}`, body, now: clock.now() }));
  if (reaction !== null) add("acknowledged", { kind: "react", commentId, content: reaction, url });
  if (refusals.length > 0) {
    const marker = `<!-- claude-hooks:answer ${event.id} -->`;
    const text = `Nothing came of ${event.actor.login}'s [comment](${url}):\n\n${refusals.map((line) => `- ${line}`).join("\n")}`;
    add("refused", { kind: "upsert_comment", number: event.subject.number, marker, body: `${marker}\n\n${text}\n` });
  }
  return effects;
}

interface NewEffect {
  thread: Thread;
  key: string;
  body: EffectBody;
  now: number;
}

const newEffect = ({ thread, key, body, now }: NewEffect): Effect => ({
  id: newId.effect(),
  key,
  forge: thread.forge,
  author: serviceAuthor,
  repositoryId: thread.repositoryId,
  thread: thread.id,
  run: null,
  body,
  preconditions: [],
  state: "pending",
  attempts: 0,
  nextAttemptAt: now,
  result: null,
  error: null,
  createdAt: now,
});

/** What is going on in a lane, by the tasks and by the runs that live in this process. */
export async function statusOf(db: Database, live: Pick<LiveRuns, "has">, lane: Lane): Promise<LaneStatus> {
  const tasks = createTaskStore(db);
  const [running, waiting, session] = await Promise.all([
    tasks.runningIn(lane.key),
    tasks.waitingIn(lane.key),
    createSessionRecords(db).get(lane.key),
  ]);
  const run = running === null ? null : live.has(lane.key) ? "working" : "publishing";
  return { ...lane, run, waits: waiting !== null, remembers: session !== null };
}
