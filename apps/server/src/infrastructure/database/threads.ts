import type { Selectable } from "kysely";
import type { Snapshot } from "../../domain/event.ts";
import type { ForgeId, ThreadId } from "../../domain/ids.ts";
import type { Thread } from "../../domain/thread.ts";
import { newId } from "../ids.ts";
import type { Handle } from "./handle.ts";
import type { Schema } from "./schema.ts";

/** `moved` is the thread that the number had before: its events are the other thread's now. */
export interface LinkResult {
  moved: ThreadId | null;
}

export interface ThreadStore {
  /** The thread of this number, made where there is none; `repository` is its name from now on. */
  ensureThread(thread: Omit<Thread, "id">): Promise<Thread>;
  /** Stores a thread that is not there yet, with the number that it is shown by. */
  create(thread: Thread): Promise<void>;
  /**
   * The pull request that we opened belongs to the thread. The forge's webhook may have come first and made a
   * thread of its own: the number and that thread's events go over to this one.
   */
  linkRef(thread: ThreadId, number: number): Promise<LinkResult>;
  threadOf(forge: ForgeId, repositoryId: number, number: number): Promise<Thread | null>;
  /** As people type it: `owner/repo` and a number, on one forge or on any. */
  find(forge: ForgeId | null, repository: string, number: number): Promise<Thread[]>;
  /** Every number of the thread, ascending. */
  numbersOf(thread: ThreadId): Promise<number[]>;
  get(id: ThreadId): Promise<Thread | null>;
  snapshot(forge: ForgeId, repositoryId: number, number: number): Promise<Snapshot | null>;
  /** False where a newer one is stored: it never moves to an older `updatedAt`. The same time moves it, since forges count in seconds. */
  saveSnapshot(forge: ForgeId, repositoryId: number, snapshot: Snapshot): Promise<boolean>;
}

export function createThreadStore(handle: Handle): ThreadStore {
  const { kysely } = handle;
  return {
    ensureThread: (thread) => handle.transaction((tx) => ensureThread(tx, thread)),
    create: (thread) => handle.transaction((tx) => create(tx, thread)),
    linkRef: (thread, number) => handle.transaction((tx) => linkRef(tx, thread, number)),
    threadOf: (forge, repositoryId, number) => threadOf(handle, forge, repositoryId, number),
    async find(forge, repository, number) {
      const query = kysely
        .selectFrom("thread_refs")
        .innerJoin("threads", "threads.id", "thread_refs.thread_id")
        .selectAll("threads")
        .where("threads.repository", "=", repository)
        .where("thread_refs.number", "=", number);
      const rows = await (forge === null ? query : query.where("threads.forge", "=", forge))
        .orderBy("threads.id")
        .execute();
      return rows.map(threadFrom);
    },
    async numbersOf(thread) {
      const query = kysely.selectFrom("thread_refs").select("number").where("thread_id", "=", thread);
      return (await query.orderBy("number").execute()).map(({ number }) => number);
    },
    async get(id) {
      const row = await kysely.selectFrom("threads").selectAll().where("id", "=", id).executeTakeFirst();
      return row ? threadFrom(row) : null;
    },
    async snapshot(forge, repositoryId, number) {
      const query = kysely.selectFrom("snapshots").select("snapshot").where("forge", "=", forge);
      const row = await query.where("repository_id", "=", repositoryId).where("number", "=", number).executeTakeFirst();
      return row ? (JSON.parse(row.snapshot) as Snapshot) : null;
    },
    saveSnapshot: (forge, repositoryId, snapshot) => saveSnapshot(handle, forge, repositoryId, snapshot),
  };
}

async function ensureThread(tx: Handle, wanted: Omit<Thread, "id">): Promise<Thread> {
  const { forge, repositoryId, repository, number } = wanted;
  const known = await threadOf(tx, forge, repositoryId, number);
  if (known?.repository === repository) return known;
  if (known) {
    await tx.kysely.updateTable("threads").set({ repository }).where("id", "=", known.id).execute();
    return { ...known, repository };
  }
  const id = newId.thread();
  await tx.kysely
    .insertInto("threads")
    .values(rowOf({ ...wanted, id }, tx.clock.now()))
    .onConflict((conflict) => conflict.columns(["forge", "repository_id", "number"]).doNothing())
    .execute();
  const { id: first } = await tx.kysely
    .selectFrom("threads")
    .select("id")
    .where("forge", "=", forge)
    .where("repository_id", "=", repositoryId)
    .where("number", "=", number)
    .executeTakeFirstOrThrow();
  await tx.kysely
    .insertInto("thread_refs")
    .values({ forge, repository_id: repositoryId, number, thread_id: first })
    .onConflict((conflict) => conflict.columns(["forge", "repository_id", "number"]).doNothing())
    .execute();
  const thread = await threadOf(tx, forge, repositoryId, number);
  if (!thread) throw new Error(`${repository}#${number} has no thread although it was just made`);
  return thread;
}

async function create(tx: Handle, thread: Thread): Promise<void> {
  const { id, forge, repositoryId, number } = thread;
  await tx.kysely.insertInto("threads").values(rowOf(thread, tx.clock.now())).execute();
  await tx.kysely
    .insertInto("thread_refs")
    .values({ forge, repository_id: repositoryId, number, thread_id: id })
    .execute();
}

async function linkRef(tx: Handle, id: ThreadId, number: number): Promise<LinkResult> {
  const thread = await tx.kysely.selectFrom("threads").selectAll().where("id", "=", id).executeTakeFirst();
  if (!thread) throw new Error(`there is no thread ${id} to link #${number} to`);
  const { forge, repository_id } = thread;
  const before = await threadOf(tx, forge as ForgeId, repository_id, number);
  await tx.kysely
    .insertInto("thread_refs")
    .values({ forge, repository_id, number, thread_id: id })
    .onConflict((conflict) => conflict.columns(["forge", "repository_id", "number"]).doUpdateSet({ thread_id: id }))
    .execute();
  if (!before || before.id === id) return { moved: null };
  await tx.kysely.updateTable("events").set({ thread_id: id }).where("thread_id", "=", before.id).execute();
  return { moved: before.id };
}

async function threadOf(
  { kysely }: Handle,
  forge: ForgeId,
  repositoryId: number,
  number: number,
): Promise<Thread | null> {
  const row = await kysely
    .selectFrom("thread_refs")
    .innerJoin("threads", "threads.id", "thread_refs.thread_id")
    .selectAll("threads")
    .where("thread_refs.forge", "=", forge)
    .where("thread_refs.repository_id", "=", repositoryId)
    .where("thread_refs.number", "=", number)
    .executeTakeFirst();
  return row ? threadFrom(row) : null;
}

async function saveSnapshot(
  { kysely }: Handle,
  forge: ForgeId,
  repositoryId: number,
  snapshot: Snapshot,
): Promise<boolean> {
  const row = { updated_at: snapshot.updatedAt, snapshot: JSON.stringify(snapshot) };
  const result = await kysely
    .insertInto("snapshots")
    .values({ forge, repository_id: repositoryId, number: snapshot.number, ...row })
    .onConflict((conflict) =>
      conflict
        .columns(["forge", "repository_id", "number"])
        .doUpdateSet(row)
        .where("snapshots.updated_at", "<=", snapshot.updatedAt),
    )
    .executeTakeFirstOrThrow();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

const rowOf = ({ id, forge, repositoryId, repository, number, kind }: Thread, now: number) => ({
  id,
  forge,
  repository_id: repositoryId,
  repository,
  number,
  kind,
  created_at: now,
  archived_at: null,
});

const threadFrom = (row: Selectable<Schema["threads"]>): Thread => ({
  id: row.id as ThreadId,
  forge: row.forge as ForgeId,
  repositoryId: row.repository_id,
  repository: row.repository,
  number: row.number,
  kind: row.kind as Thread["kind"],
});
