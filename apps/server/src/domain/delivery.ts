import type { DeliveryId, ForgeId } from "./ids.ts";

/** One webhook as received; it is stored before it is acknowledged. */
export interface Delivery {
  id: DeliveryId;
  forge: ForgeId;
  /** Which configured hook it came to: the last part of the webhook's path. */
  hookId: string;
  /** The forge's own id of the delivery; a replay from the web page gets a new one (facts of Forgejo v15). */
  uuid: string;
  event: string;
  eventType: string;
  body: Uint8Array;
  /** Milliseconds since the epoch. */
  receivedAt: number;
}

/** `received` waits to be normalised; `ignored` is of no interest and says why; `failed` could not be read and says why. */
export type DeliveryState = "received" | "normalised" | "ignored" | "failed";

export interface StoredDelivery extends Delivery {
  state: DeliveryState;
  reason: string | null;
}
