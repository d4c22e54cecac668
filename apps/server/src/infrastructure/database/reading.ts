import type { StoredDelivery } from "../../domain/delivery.ts";
import type { Effect } from "../../domain/effect.ts";
import type { ForgeEvent } from "../../domain/event.ts";
import type { Decision } from "../../domain/flow.ts";
import type { DeliveryId, EventId, ForgeId, RunId, ThreadId } from "../../domain/ids.ts";
import type { Run } from "../../domain/run.ts";
import type { Thread } from "../../domain/thread.ts";
import { createDeliveryStore } from "./deliveries.ts";
import { createEffectStore } from "./effects.ts";
import { createEventStore } from "./events.ts";
import type { Handle } from "./handle.ts";
import type { RunStreamStore, StreamEntry } from "./run-stream.ts";
import { createRunStore } from "./runs.ts";
import { createTaskStore } from "./tasks.ts";
import { createThreadStore } from "./threads.ts";

/** What people ask of the record: look-ups by what they have at hand, such as the end of a run's id or `owner/repo#12`. */
export function createReading(handle: Handle, streams: RunStreamStore) {
  const events = createEventStore(handle);
  const runs = createRunStore(handle);
  const threads = createThreadStore(handle);
  return {
    runs: {
      find: (id: string): Promise<Run[]> => findRuns(handle, id),
      list: (filter: { limit: number; before?: RunId; thread?: ThreadId }): Promise<Run[]> => runs.list(filter),
      stream: (run: RunId, after: number, limit: number): Promise<StreamEntry[]> =>
        streams.stream(run, { after, limit }),
    },
    tasks: createTaskStore(handle),
    threads: {
      get: (id: ThreadId): Promise<Thread | null> => threads.get(id),
      find: (forge: ForgeId | null, repository: string, number: number): Promise<Thread[]> =>
        findThreads(handle, forge, repository, number),
    },
    events: {
      get: (id: EventId): Promise<ForgeEvent | null> => events.get(id),
      ofThread: (thread: ThreadId): Promise<ForgeEvent[]> => events.listForThread(thread),
      ofDelivery: (delivery: DeliveryId): Promise<ForgeEvent[]> => eventsOf(handle, delivery),
      decisions: async (event: EventId): Promise<Decision[] | null> =>
        (await events.decisions(event))?.decisions ?? null,
    },
    deliveries: { find: (id: string): Promise<Omit<StoredDelivery, "body"> | null> => findDelivery(handle, id) },
    effects: { ofRun: (run: RunId): Promise<Effect[]> => effectsOf(handle, run) },
  };
}

/** By a whole id, or by the end of one: ids begin with their time, so that neighbours differ at their ends. */
async function findRuns(handle: Handle, id: string): Promise<Run[]> {
  if (!/^[0-9a-f-]{4,36}$/i.test(id)) return [];
  const rows = await handle.kysely
    .selectFrom("runs")
    .select("id")
    .where("id", "like", `%${id.toLowerCase()}`)
    .orderBy("id", "desc")
    .limit(10)
    .execute();
  const runs = createRunStore(handle);
  const found = await Promise.all(rows.map((row) => runs.get(row.id as RunId)));
  return found.filter((run) => run !== null);
}

async function findThreads(
  handle: Handle,
  forge: ForgeId | null,
  repository: string,
  number: number,
): Promise<Thread[]> {
  let query = handle.kysely
    .selectFrom("thread_refs")
    .innerJoin("threads", "threads.id", "thread_refs.thread_id")
    .select("threads.id")
    .where("threads.repository", "=", repository)
    .where("thread_refs.number", "=", number);
  if (forge !== null) query = query.where("threads.forge", "=", forge);
  const threads = createThreadStore(handle);
  const found = await Promise.all((await query.limit(10).execute()).map(({ id }) => threads.get(id as ThreadId)));
  return found.filter((thread) => thread !== null);
}

async function eventsOf(handle: Handle, delivery: DeliveryId): Promise<ForgeEvent[]> {
  const query = handle.kysely.selectFrom("events").select("id").where("delivery_id", "=", delivery);
  const rows = await query.orderBy("id").execute();
  return createEventStore(handle).getMany(rows.map(({ id }) => id as EventId));
}

/** By our id or by the forge's, whichever a person has from a log or a page. */
async function findDelivery(handle: Handle, id: string): Promise<Omit<StoredDelivery, "body"> | null> {
  const row = await handle.kysely
    .selectFrom("deliveries")
    .select("id")
    .where((where) => where.or([where("id", "=", id), where("uuid", "=", id)]))
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : await createDeliveryStore(handle).get(row.id as DeliveryId);
}

async function effectsOf(handle: Handle, run: RunId): Promise<Effect[]> {
  const query = handle.kysely.selectFrom("effects").select("id").where("run_id", "=", run).orderBy("id");
  const effects = createEffectStore(handle);
  const found = await Promise.all((await query.execute()).map(({ id }) => effects.get(id as Effect["id"])));
  return found.filter((effect) => effect !== null);
}
