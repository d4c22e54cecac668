import type { Explanation, RunDetail, RunList, Status, StreamEntry } from "@claude-hooks/api";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import type { ForgeEvent } from "../domain/event.ts";
import type { EventId, RunId, ThreadId } from "../domain/ids.ts";
import type { Run } from "../domain/run.ts";
import type { Thread } from "../domain/thread.ts";
import type { Reading } from "./ports.ts";
import { createSessionsApi, DeskError, type SessionDesk, type TakeoverDesk } from "./sessions.ts";
import { explainedEvent, runDetail, runSummary } from "./view.ts";

export interface ApiDeps {
  reading: Reading;
  status(): Promise<Status>;
  metrics(): Promise<{ contentType: string; text: string }>;
  /** Resolves when the run has new entries or has ended, or after a second. */
  streamed(run: RunId): Promise<void>;
  redact(text: string): string;
  sessions: SessionDesk;
  takeovers: TakeoverDesk;
}

const streamPage = 500;

/** It listens on the unix socket alone, so whoever may open that may read everything, and do what `sessions` offers. */
export function createApi(deps: ApiDeps): Hono {
  const app = new Hono();
  app.get("/metrics", async (c) => {
    const { contentType, text } = await deps.metrics();
    return c.body(text, 200, { "content-type": contentType });
  });
  app.get("/api/v1/status", async (c) => c.json(await deps.status()));
  app.get("/api/v1/runs", async (c) => {
    const limit = Math.min(500, Math.max(1, Number(c.req.query("limit") ?? 30) || 30));
    const runs = await deps.reading.runs.list({ limit });
    const list: RunList = { runs: await Promise.all(runs.map((run) => summarise(deps.reading, run))) };
    return c.json(list);
  });
  app.get("/api/v1/runs/:id", async (c) => {
    const found = await onlyRun(deps.reading, c.req.param("id"));
    if ("error" in found) return c.json({ error: found.error }, found.status);
    return c.json(await detail(deps.reading, found.run));
  });
  app.get("/api/v1/runs/:id/stream", async (c) => {
    const found = await onlyRun(deps.reading, c.req.param("id"));
    if ("error" in found) return c.json({ error: found.error }, found.status);
    const from = Number(c.req.header("last-event-id") ?? c.req.query("after") ?? 0) || 0;
    return streamSSE(c, async (stream) => {
      for await (const entry of entries(deps, found.run, from, () => stream.aborted || stream.closed)) {
        await stream.writeSSE({ id: String(entry.seq), data: deps.redact(JSON.stringify(entry)) });
      }
    });
  });
  app.get("/api/v1/explain", async (c) => {
    const subject = c.req.query("subject") ?? "";
    const explanation = await explain(deps.reading, subject);
    if (explanation === null) {
      const hint = "give a delivery's id, an event's id, a run's id, or a thread such as owner/repo#12";
      return c.json({ error: `nothing on record answers to "${subject}": ${hint}` }, 404);
    }
    return c.json(explanation);
  });
  app.route("/api/v1", createSessionsApi(deps.sessions, deps.takeovers));
  app.onError((error, c) => {
    if (error instanceof DeskError) return c.json({ error: error.message }, error.status);
    throw error;
  });
  app.notFound((c) => c.json({ error: `there is no ${c.req.method} ${c.req.path} in this API` }, 404));
  return app;
}

async function* entries(deps: ApiDeps, run: Run, from: number, gone: () => boolean): AsyncGenerator<StreamEntry> {
  let after = from;
  let last = false;
  while (!gone()) {
    const rows = await deps.reading.runs.stream(run.id, after, streamPage);
    for (const row of rows) yield { seq: row.seq, at: row.at, message: JSON.parse(row.json) };
    after = rows.at(-1)?.seq ?? after;
    if (rows.length === streamPage) continue;
    if (last) return;
    const [current] = await deps.reading.runs.find(run.id);
    last = current === undefined || current.finishedAt !== null;
    if (!last) await deps.streamed(run.id);
  }
}

type Found = { run: Run } | { error: string; status: 404 | 409 };

async function onlyRun(reading: Reading, id: string): Promise<Found> {
  const runs = await reading.runs.find(id);
  const [run] = runs;
  if (run === undefined) return { error: `there is no run ${id}; \`claude-hooks runs ls\` lists them`, status: 404 };
  if (runs.length > 1) return { error: `${runs.length} runs answer to ${id}: give more of its id`, status: 409 };
  return { run };
}

async function threadOf(reading: Reading, id: ThreadId): Promise<Thread> {
  const thread = await reading.threads.get(id);
  if (thread === null) throw new Error(`thread ${id} is not on record`);
  return thread;
}

const summarise = async (reading: Reading, run: Run) => runSummary(run, await threadOf(reading, run.thread));

async function detail(reading: Reading, run: Run): Promise<RunDetail> {
  const [thread, task, effects] = await Promise.all([
    threadOf(reading, run.thread),
    reading.tasks.get(run.task),
    reading.effects.ofRun(run.id),
  ]);
  const cause = task === null ? null : await reading.events.get(task.cause);
  return runDetail(run, thread, cause, effects);
}

/** Null where nothing on record answers to the subject. */
async function explain(reading: Reading, subject: string): Promise<Explanation | null> {
  const thread = /^(?:([\w-]+):)?([^\s/]+\/[^\s#]+)#(\d+)$/.exec(subject);
  if (thread !== null) return await explainThread(reading, subject, thread[2] ?? "", Number(thread[3]));
  const delivery = await reading.deliveries.find(subject);
  if (delivery !== null) {
    const events = await reading.events.ofDelivery(delivery.id);
    const { id, uuid, event, receivedAt, state, reason } = delivery;
    return {
      subject,
      deliveries: [{ id, uuid, event, received_at: receivedAt, state, reason }],
      ...(await told(reading, events)),
    };
  }
  const event = await reading.events.get(subject as EventId);
  if (event !== null) return { subject, deliveries: [], ...(await told(reading, [event])) };
  const [run] = await reading.runs.find(subject);
  if (run === undefined) return null;
  const task = await reading.tasks.get(run.task);
  const cause = task === null ? null : await reading.events.get(task.cause);
  const events = await told(reading, cause === null ? [] : [cause]);
  return { subject, deliveries: [], events: events.events, runs: [await summarise(reading, run)] };
}

async function explainThread(
  reading: Reading,
  subject: string,
  repository: string,
  number: number,
): Promise<Explanation | null> {
  const threads = await reading.threads.find(null, repository, number);
  if (threads.length === 0) return null;
  const parts = await Promise.all(
    threads.map(async (thread) => ({
      events: (await told(reading, await reading.events.ofThread(thread.id))).events,
      runs: await Promise.all(
        (await reading.runs.list({ limit: 50, thread: thread.id })).map((run) => summarise(reading, run)),
      ),
    })),
  );
  return {
    subject,
    deliveries: [],
    events: parts.flatMap((part) => part.events),
    runs: parts.flatMap((part) => part.runs),
  };
}

async function told(reading: Reading, events: readonly ForgeEvent[]): Promise<Pick<Explanation, "events" | "runs">> {
  const explained = events.map(async (event) => {
    const thread = event.thread === null ? null : await reading.threads.get(event.thread);
    return explainedEvent(event, thread, await reading.events.decisions(event.id));
  });
  return { events: await Promise.all(explained), runs: [] };
}
