import type { Normalised } from "../../domain/forge.ts";
import type { DeliveryId, EventId, ForgeId, ThreadId } from "../../domain/ids.ts";
import { createIngest, type IngestDeps } from "../ingest.ts";
import { MemoryStore } from "./memory-store.ts";

/** Bodies are the normalised delivery itself, as JSON. */
export function setUp(change: Partial<IngestDeps> = {}) {
  const store = new MemoryStore();
  const events: EventId[] = [];
  const faults: { delivery: DeliveryId; failed: boolean; reason: string }[] = [];
  let made = 0;
  const nextId = (name: string) => `${name}-${String((made += 1)).padStart(6, "0")}`;
  const ingest = createIngest({
    store,
    normalise: (_, payload) => payload as Normalised,
    newEventId: () => nextId("event") as EventId,
    newThreadId: () => nextId("thread") as ThreadId,
    onEvents: (ids) => events.push(...ids),
    onFault: ({ delivery, failed, reason }) => faults.push({ delivery, failed, reason }),
    ...change,
  });
  let received = 0;
  const receive = (normalised: Normalised | Uint8Array): DeliveryId => {
    received += 1;
    const id = `delivery-${String(received).padStart(6, "0")}` as DeliveryId;
    const body = normalised instanceof Uint8Array ? normalised : new TextEncoder().encode(JSON.stringify(normalised));
    const headers = { uuid: `uuid-${received}`, event: "e", eventType: "e" };
    store.add({ id, forge: "home" as ForgeId, hookId: "widgets", ...headers, body, receivedAt: 1000 + received });
    return id;
  };
  return { store, ingest, receive, events, faults, kinds: () => store.state.events.map(({ kind }) => kind) };
}

export const observation = (seen: Extract<Normalised, { kind: "observation" }>["observation"]): Normalised => ({
  kind: "observation",
  observation: seen,
});
