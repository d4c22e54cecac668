import type { StoredDelivery } from "../domain/delivery.ts";
import type { Effect } from "../domain/effect.ts";
import type { ForgeEvent } from "../domain/event.ts";
import type { Decision } from "../domain/flow.ts";
import type { DeliveryId, EventId, ForgeId, RunId, TaskId, ThreadId } from "../domain/ids.ts";
import type { Run } from "../domain/run.ts";
import type { Task } from "../domain/task.ts";
import type { Thread } from "../domain/thread.ts";

export interface StreamRow {
  seq: number;
  at: number;
  /** JSON text as the agent's process printed it. */
  json: string;
}

/** What the API reads; it changes nothing. */
export interface Reading {
  runs: {
    /** Runs whose id ends or begins with what a person typed. */
    find(id: string): Promise<Run[]>;
    list(filter: { limit: number; before?: RunId; thread?: ThreadId }): Promise<Run[]>;
    stream(run: RunId, after: number, limit: number): Promise<StreamRow[]>;
  };
  tasks: { get(id: TaskId): Promise<Task | null> };
  threads: {
    get(id: ThreadId): Promise<Thread | null>;
    find(forge: ForgeId | null, repository: string, number: number): Promise<Thread[]>;
  };
  events: {
    get(id: EventId): Promise<ForgeEvent | null>;
    ofThread(thread: ThreadId): Promise<ForgeEvent[]>;
    ofDelivery(delivery: DeliveryId): Promise<ForgeEvent[]>;
    /** Null where no flow has been tried on it yet. */
    decisions(event: EventId): Promise<Decision[] | null>;
  };
  deliveries: {
    find(id: string): Promise<Omit<StoredDelivery, "body"> | null>;
  };
  effects: { ofRun(run: RunId): Promise<Effect[]> };
}
