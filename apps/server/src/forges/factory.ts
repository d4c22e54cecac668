import type { Forge, Normalised } from "../domain/forge.ts";
import type { ForgeId } from "../domain/ids.ts";

export interface ConnectOptions {
  /** The forge's name in the configuration: error messages name it. */
  forge: ForgeId;
  /** Where its pages are; a path is allowed (`https://host/forgejo`). */
  baseUrl: string;
  /** The user whose token it is: error messages name it. */
  login: string;
  token: string;
  /** For one request with its answer; default 20 s. */
  timeoutMs?: number;
}

/** A delivery as an adapter reads it: its body parsed as JSON and otherwise unchecked. */
export interface RawDelivery {
  forge: ForgeId;
  event: string;
  eventType: string;
  payload: unknown;
}

/** Header names in lower case, the first that is there counts. */
export interface DeliveryHeaders {
  id: readonly string[];
  event: readonly string[];
  eventType: readonly string[];
  /** Of each, what stands before the hex digits of the HMAC-SHA256 of the body. */
  signature: readonly { header: string; prefix: string }[];
}

/** What a kind of forge has to offer; one folder and one line in the registry each. */
export interface ForgeFactory {
  connect(options: ConnectOptions): Forge;
  /** Never throws: a payload that is not what its event type promises is `unreadable`. */
  normalise(delivery: RawDelivery): Normalised;
  /** The numeric id of each repository that {@link normalise} might take a payload to be about. */
  payloadRepositoryIds(payload: unknown): readonly number[];
  readonly headers: DeliveryHeaders;
}
