import type { DeliveryState, StoredDelivery } from "../../domain/delivery.ts";
import type { ForgeEvent, RepositoryRef, Snapshot } from "../../domain/event.ts";
import type { DeliveryId, ThreadId } from "../../domain/ids.ts";
import type { Thread } from "../../domain/thread.ts";
import type { IngestStore, IngestTransaction, SubjectRef } from "../ingest.ts";

interface State {
  deliveries: StoredDelivery[];
  threads: Thread[];
  refs: [ref: string, thread: ThreadId][];
  snapshots: [ref: string, snapshot: Snapshot][];
  events: ForgeEvent[];
}

/** A store whose transactions are all or nothing, and may be made to die at any of their steps. */
export class MemoryStore implements IngestStore {
  state: State = { deliveries: [], threads: [], refs: [], snapshots: [], events: [] };
  /** By `forge/repository id/branch`: our own stored effects. */
  readonly ownBranches = new Map<string, ThreadId>();
  /** Called before each step, with the delivery or event it is about; what it throws ends the transaction, and nothing of it stays. */
  beforeStep: (step: string, detail: string | null) => void = () => undefined;

  add(delivery: Omit<StoredDelivery, "state" | "reason">): void {
    this.state.deliveries.push({ ...delivery, state: "received", reason: null });
  }

  settled(id: DeliveryId): { state: DeliveryState; reason: string | null } | undefined {
    const found = this.state.deliveries.find((delivery) => delivery.id === id);
    return found && { state: found.state, reason: found.reason };
  }

  async received(after: DeliveryId | null, limit: number): Promise<StoredDelivery[]> {
    return this.state.deliveries
      .filter(({ id, state }) => state === "received" && (after === null || id > after))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, limit);
  }

  async transaction<T>(work: (tx: IngestTransaction) => Promise<T>): Promise<T> {
    const before = structuredClone(this.state);
    try {
      const result = await work(this.#transaction());
      this.beforeStep("commit", null);
      return result;
    } catch (error) {
      this.state = before;
      throw error;
    }
  }

  #transaction(): IngestTransaction {
    const { state, ownBranches } = this;
    const step = (name: string, detail: string | null = null) => this.beforeStep(name, detail);
    const name = ({ repository, number }: SubjectRef) => `${repository.forge}/${repository.id}#${number}`;
    const read = <T>(list: readonly [string, T][], key: string) =>
      list.findLast(([found]) => found === key)?.[1] ?? null;
    return {
      findThread: async (ref) => read(state.refs, name(ref)),
      threadOfOwnBranch: async ({ forge, id }: RepositoryRef, branch) =>
        ownBranches.get(`${forge}/${id}/${branch}`) ?? null,
      createThread: async (thread) => {
        step("createThread");
        state.threads.push(thread);
        const repository = { forge: thread.forge, id: thread.repositoryId, name: thread.repository };
        state.refs.push([name({ repository, number: thread.number }), thread.id]);
      },
      addRef: async (ref, thread) => {
        step("addRef");
        state.refs.push([name(ref), thread]);
      },
      snapshot: async (ref) => read(state.snapshots, name(ref)),
      saveSnapshot: async (ref, snapshot) => {
        step("saveSnapshot");
        state.snapshots.push([name(ref), snapshot]);
      },
      addEvent: async (event) => {
        step("addEvent", event.semanticKey);
        if (state.events.some(({ semanticKey }) => semanticKey === event.semanticKey)) return false;
        state.events.push(event);
        return true;
      },
      settle: async (id, to, reason) => {
        step("settle", id);
        const found = state.deliveries.find((delivery) => delivery.id === id);
        if (found?.state !== "received") return false;
        Object.assign(found, { state: to, reason });
        return true;
      },
    };
  }
}
