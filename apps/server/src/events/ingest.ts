import type { StoredDelivery } from "../domain/delivery.ts";
import type { ForgeEvent, Observation, RepositoryRef, Snapshot } from "../domain/event.ts";
import type { Normalised } from "../domain/forge.ts";
import type { DeliveryId, EventId, ThreadId } from "../domain/ids.ts";
import type { Thread } from "../domain/thread.ts";
import { type Change, deltas } from "./deltas.ts";

/** An issue or pull request by the numbers that do not change. */
export interface SubjectRef {
  repository: RepositoryRef;
  number: number;
}

/** One database transaction: all of it or nothing. */
export interface IngestTransaction {
  findThread(ref: SubjectRef): Promise<ThreadId | null>;
  /** The thread for which we stored an effect that opens a pull request from this branch of the repository. */
  threadOfOwnBranch(repository: RepositoryRef, branch: string): Promise<ThreadId | null>;
  /** Stores the thread with its first ref. */
  createThread(thread: Thread): Promise<void>;
  /** Lets the number belong to the thread. */
  addRef(ref: SubjectRef, thread: ThreadId): Promise<void>;
  snapshot(ref: SubjectRef): Promise<Snapshot | null>;
  saveSnapshot(ref: SubjectRef, snapshot: Snapshot): Promise<void>;
  /** False where an event with this semantic key is there already; that one stays. */
  addEvent(event: ForgeEvent): Promise<boolean>;
  /** Guarded: false where the delivery is not `received` any more. */
  settle(id: DeliveryId, state: Settled, reason: string | null): Promise<boolean>;
}

export type Settled = "normalised" | "ignored" | "failed";

export interface IngestStore {
  /** Deliveries in `received` with an id above `after`, in order of their ids. */
  received(after: DeliveryId | null, limit: number): Promise<readonly StoredDelivery[]>;
  transaction<T>(work: (tx: IngestTransaction) => Promise<T>): Promise<T>;
}

export interface IngestDeps {
  store: IngestStore;
  /** By the kind of the delivery's forge. */
  normalise(delivery: StoredDelivery, payload: unknown): Normalised;
  newEventId(): EventId;
  newThreadId(): ThreadId;
  /** New events, after they are stored. May be lost in a crash: who decides on events looks for undecided ones at start. */
  onEvents(ids: readonly EventId[]): void;
  /** A delivery is marked failed, or stays `received` because the store refused it and is tried again at the next drain. */
  onFault(fault: { delivery: DeliveryId; failed: boolean; reason: string; cause: unknown }): void;
}

export interface Ingest {
  /**
   * Works off every `received` delivery, one at a time, in order; called while it works, it looks once more. Rejects only where
   * the list of deliveries cannot be read. `left` counts those that the store refused: drain again later.
   */
  drain(): Promise<{ settled: number; left: number }>;
}

const batchSize = 10;
/** How often the store may refuse one delivery, while it takes the mark that says so, before that delivery is at fault. */
const maxRefusals = 5;

export function createIngest(deps: IngestDeps): Ingest {
  const refusals = new Map<DeliveryId, number>();
  let again = false;
  let running: Promise<{ settled: number; left: number }> | null = null;

  async function pass(): Promise<{ settled: number; left: number }> {
    const tally = { settled: 0, left: 0 };
    let after: DeliveryId | null = null;
    for (;;) {
      const batch: readonly StoredDelivery[] = await deps.store.received(after, batchSize);
      for (const delivery of batch) {
        const settled = await ingestOne(deps, refusals, delivery);
        tally[settled ? "settled" : "left"] += 1;
        after = delivery.id;
      }
      if (batch.length === 0) return tally;
    }
  }

  async function work(): Promise<{ settled: number; left: number }> {
    let settled = 0;
    for (;;) {
      again = false;
      const tally = await pass();
      settled += tally.settled;
      if (!again) return { settled, left: tally.left };
    }
  }

  return {
    drain() {
      again = true;
      running ??= work().finally(() => {
        running = null;
      });
      return running;
    },
  };
}

/** Whether the delivery is settled now. */
async function ingestOne(
  deps: IngestDeps,
  refusals: Map<DeliveryId, number>,
  delivery: StoredDelivery,
): Promise<boolean> {
  try {
    const added = await settle(deps, delivery);
    refusals.delete(delivery.id);
    if (added.length > 0) deps.onEvents(added);
    return true;
  } catch (cause) {
    const count = (refusals.get(delivery.id) ?? 0) + 1;
    refusals.set(delivery.id, count);
    const reason = `it could not be stored (try ${count} of ${maxRefusals}): ${describe(cause)}`;
    const failed = count >= maxRefusals && (await mark(deps, delivery, reason));
    if (failed) refusals.delete(delivery.id);
    deps.onFault({ delivery: delivery.id, failed, reason, cause });
    return failed;
  }
}

/** Rejects only where the store does. */
async function settle(deps: IngestDeps, delivery: StoredDelivery): Promise<EventId[]> {
  const read = readDelivery(deps, delivery);
  switch (read.kind) {
    case "observation":
      return settleObservation(deps, delivery, read.observation);
    case "no-interest":
      await deps.store.transaction((tx) => tx.settle(delivery.id, "ignored", read.reason));
      return [];
    case "unreadable":
      await deps.store.transaction((tx) => tx.settle(delivery.id, "failed", read.reason));
      deps.onFault({ delivery: delivery.id, failed: true, reason: read.reason, cause: null });
      return [];
    default:
      return read satisfies never;
  }
}

function readDelivery(deps: IngestDeps, delivery: StoredDelivery): Normalised {
  try {
    return deps.normalise(delivery, JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(delivery.body)));
  } catch (cause) {
    return { kind: "unreadable", reason: `it could not be read: ${describe(cause)}` };
  }
}

/** The delivery left `received` meanwhile: someone else settled it, and nothing of this transaction may stay. */
class AlreadySettled extends Error {
  override readonly name = "AlreadySettled";
}

async function settleObservation(
  deps: IngestDeps,
  delivery: StoredDelivery,
  observation: Observation,
): Promise<EventId[]> {
  try {
    return await deps.store.transaction(async (tx) => {
      const { added, known } = await storeObservation(deps, tx, delivery, observation);
      const reason = added.length > 0 ? null : nothingNew(known);
      if (!(await tx.settle(delivery.id, "normalised", reason))) throw new AlreadySettled();
      return added;
    });
  } catch (error) {
    if (error instanceof AlreadySettled) return [];
    throw error;
  }
}

const nothingNew = (known: readonly string[]): string =>
  known.length === 0 ? "it shows no change" : `nothing new, seen before: ${known.join(", ")}`;

async function storeObservation(
  deps: IngestDeps,
  tx: IngestTransaction,
  delivery: StoredDelivery,
  observation: Observation,
): Promise<{ added: EventId[]; known: string[] }> {
  const { thread, events } = await storeSubject(deps, tx, observation);
  const added: EventId[] = [];
  const known: string[] = [];
  for (const { semanticKey, body } of events) {
    const id = deps.newEventId();
    const { repository, actor } = observation;
    const receivedAt = delivery.receivedAt;
    const common = { id, semanticKey, repository, thread, actor, receivedAt, delivery: delivery.id };
    const isNew = await tx.addEvent({ ...common, ...body });
    if (isNew) added.push(id);
    if (!isNew) known.push(semanticKey);
  }
  return { added, known };
}

async function storeSubject(
  deps: IngestDeps,
  tx: IngestTransaction,
  observation: Observation,
): Promise<{ thread: ThreadId | null; events: Change["events"] }> {
  if (observation.kind === "push" || observation.kind === "ci")
    return { thread: null, events: deltas(null, observation).events };
  const { repository, subject } = observation;
  const ref = { repository, number: subject.number };
  const thread = await ensureThread(deps, tx, ref, subject);
  const { snapshot, events } = deltas(await tx.snapshot(ref), observation);
  if (snapshot !== null) await tx.saveSnapshot(ref, snapshot);
  return { thread, events };
}

/** The pull request that we opened belongs to the thread, by our own row: also when its webhook overtakes our answer. */
async function ensureThread(
  deps: IngestDeps,
  tx: IngestTransaction,
  ref: SubjectRef,
  { kind, pull }: Snapshot,
): Promise<ThreadId> {
  const found = await tx.findThread(ref);
  if (found !== null) return found;
  const { repository, number } = ref;
  const ours = pull === null ? null : await tx.threadOfOwnBranch(repository, pull.headBranch);
  if (ours !== null) {
    await tx.addRef(ref, ours);
    return ours;
  }
  const id = deps.newThreadId();
  const { forge, id: repositoryId, name } = repository;
  await tx.createThread({ id, forge, repositoryId, repository: name, number, kind });
  return id;
}

async function mark(deps: IngestDeps, delivery: StoredDelivery, reason: string): Promise<boolean> {
  try {
    return await deps.store.transaction((tx) => tx.settle(delivery.id, "failed", reason));
  } catch {
    // The store refuses everything: it is not this delivery's fault, which stays `received`.
    return false;
  }
}

const describe = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause)).slice(0, 300);
