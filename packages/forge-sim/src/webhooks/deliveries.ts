import { createHmac, randomUUID } from "node:crypto";
import type { Faults } from "../faults.ts";
import type { HookRecord } from "../state/records.ts";
import { type EventType, eventOf } from "./events.ts";

/** One webhook, sent or about to be. */
export interface Delivery {
  readonly hookId: number;
  readonly uuid: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly event: string;
  readonly eventType: EventType;
  readonly action: string | undefined;
  readonly url: string;
  /** The very bytes that were signed. */
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  /** `dropped`: lost by a fault. `failed`: no answer, or one that is not 2xx; Forgejo does not try again. */
  state: "queued" | "delivered" | "failed" | "dropped";
  /** The receiver's answer. */
  status: number | undefined;
  error: string | undefined;
  /** The UUID that this one repeats, when a person asked for a replay. */
  readonly replayOf: string | undefined;
}

interface DeliveriesDeps {
  faults: Pick<Faults, "losesDelivery">;
  timeoutMs: number;
}

/** Sends webhooks, each once, side by side, so that nothing promises their order; keeps what became of each. */
export class Deliveries {
  readonly all: Delivery[] = [];
  readonly #deps: DeliveriesDeps;
  readonly #pending = new Set<Promise<void>>();
  readonly #stopped = new AbortController();

  constructor(deps: DeliveriesDeps) {
    this.#deps = deps;
  }

  /** Signs at once, so that the body says what was so now; sends later. */
  queue(hook: HookRecord, repository: string, eventType: EventType, payload: object): void {
    const action = "action" in payload && typeof payload.action === "string" ? payload.action : undefined;
    this.#add(hook, { repository, eventType, action, body: Buffer.from(goJson(payload)), replayOf: undefined });
  }

  /** What the button "Replay" does: the same body under a new UUID. */
  replay(hook: HookRecord, delivery: Delivery): Delivery {
    const { repository, eventType, action, body, uuid } = delivery;
    return this.#add(hook, { repository, eventType, action, body, replayOf: uuid });
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  /** Gives up what is under way. */
  stop(): void {
    this.#stopped.abort(new Error("the forge was stopped"));
  }

  #add(hook: HookRecord, what: Pick<Delivery, "repository" | "eventType" | "action" | "body" | "replayOf">): Delivery {
    const uuid = randomUUID();
    const headers = deliveryHeaders(hook, uuid, what.eventType, what.body);
    const delivery: Delivery = {
      ...what,
      hookId: hook.id,
      uuid,
      event: eventOf(what.eventType),
      url: hook.url,
      headers,
      state: "queued",
      status: undefined,
      error: undefined,
    };
    this.all.push(delivery);
    const sent = this.#send(delivery).finally(() => this.#pending.delete(sent));
    this.#pending.add(sent);
    return delivery;
  }

  async #send(delivery: Delivery): Promise<void> {
    // The change is committed and its reply on the way before the receiver hears of it.
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#deps.faults.losesDelivery(delivery.eventType, delivery.action)) {
      delivery.state = "dropped";
      return;
    }
    try {
      const response = await fetch(delivery.url, {
        method: "POST",
        headers: delivery.headers,
        body: delivery.body,
        signal: AbortSignal.any([AbortSignal.timeout(this.#deps.timeoutMs), this.#stopped.signal]),
        keepalive: false,
      });
      await response.arrayBuffer();
      delivery.status = response.status;
      delivery.state = response.ok ? "delivered" : "failed";
    } catch (error) {
      delivery.state = "failed";
      delivery.error = error instanceof Error ? error.message : String(error);
    }
  }
}

/** Go's `json.MarshalIndent`: two spaces, and `<`, `>`, `&` and the two line separators escaped. */
function goJson(payload: object): string {
  return JSON.stringify(payload, null, 2).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Forgejo's `AddDefaultHeaders`: a hook without a secret sends its signatures empty. */
function deliveryHeaders(
  hook: HookRecord,
  uuid: string,
  eventType: EventType,
  body: Uint8Array,
): Record<string, string> {
  const sign = (algorithm: string): string =>
    hook.secret === "" ? "" : createHmac(algorithm, hook.secret).update(body).digest("hex");
  const signature = sign("sha256");
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  for (const forge of ["Forgejo", "Gitea", "Gogs", "GitHub"]) {
    headers[`X-${forge}-Delivery`] = uuid;
    headers[`X-${forge}-Event`] = eventOf(eventType);
    headers[`X-${forge}-Event-Type`] = eventType;
    if (forge !== "GitHub") headers[`X-${forge}-Signature`] = signature;
  }
  headers["X-Hub-Signature"] = `sha1=${sign("sha1")}`;
  headers["X-Hub-Signature-256"] = `sha256=${signature}`;
  if (hook.authorizationHeader !== "") headers["Authorization"] = hook.authorizationHeader;
  return headers;
}
