import type { StoredDelivery } from "../../domain/delivery.ts";
import type { ForgeEvent, RepositoryRef, Snapshot } from "../../domain/event.ts";
import type { DeliveryId, ThreadId } from "../../domain/ids.ts";
import type { Thread } from "../../domain/thread.ts";
import { createDeliveryStore } from "./deliveries.ts";
import { createEventStore } from "./events.ts";
import type { Database, Handle } from "./handle.ts";
import { createThreadStore } from "./threads.ts";

interface Subject {
  repository: RepositoryRef;
  number: number;
}

/** What normalising a delivery reads and writes, in one transaction. */
export function createIngestStore(db: Database) {
  return {
    received: (after: DeliveryId | null, limit: number): Promise<StoredDelivery[]> =>
      createDeliveryStore(db).nextReceived(limit, after),
    transaction: <T>(work: (tx: ReturnType<typeof ingestTransaction>) => Promise<T>): Promise<T> =>
      db.transaction((tx) => work(ingestTransaction(tx))),
  };
}

function ingestTransaction(tx: Handle) {
  const threads = createThreadStore(tx);
  const events = createEventStore(tx);
  return {
    async findThread({ repository, number }: Subject): Promise<ThreadId | null> {
      const thread = await threads.threadOf(repository.forge, repository.id, number);
      if (thread === null) return null;
      if (thread.repository !== repository.name) await threads.ensureThread({ ...thread, repository: repository.name });
      return thread.id;
    },
    threadOfOwnBranch: (repository: RepositoryRef, branch: string) => threadOfOwnBranch(tx, repository, branch),
    async createThread(thread: Thread): Promise<void> {
      await threads.create(thread);
    },
    async addRef({ number }: Subject, thread: ThreadId): Promise<void> {
      await threads.linkRef(thread, number);
    },
    snapshot: ({ repository, number }: Subject) => threads.snapshot(repository.forge, repository.id, number),
    async saveSnapshot({ repository }: Subject, snapshot: Snapshot): Promise<void> {
      await threads.saveSnapshot(repository.forge, repository.id, snapshot);
    },
    addEvent: (event: ForgeEvent) => events.insert(event),
    settle(id: DeliveryId, state: "normalised" | "ignored" | "failed", reason: string | null): Promise<boolean> {
      const deliveries = createDeliveryStore(tx);
      if (state === "normalised") return deliveries.markNormalised(id, reason);
      return state === "ignored" ? deliveries.markIgnored(id, reason ?? "") : deliveries.markFailed(id, reason ?? "");
    },
  };
}

/** By the effect that we stored before the pull request was there: its webhook can come before the forge's answer does. */
async function threadOfOwnBranch(
  { kysely }: Handle,
  repository: RepositoryRef,
  branch: string,
): Promise<ThreadId | null> {
  const row = await kysely
    .selectFrom("runs")
    .innerJoin("threads", "threads.id", "runs.thread_id")
    .innerJoin("effects", "effects.run_id", "runs.id")
    .select("runs.thread_id")
    .where("threads.forge", "=", repository.forge)
    .where("threads.repository_id", "=", repository.id)
    .where("runs.branch", "=", branch)
    .where("effects.kind", "=", "open_pull_request")
    .orderBy("runs.id", "desc")
    .limit(1)
    .executeTakeFirst();
  return (row?.thread_id as ThreadId | undefined) ?? null;
}
