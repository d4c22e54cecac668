import type { Delivery } from "../domain/delivery.ts";
import type { Clock, DeliveryId, ForgeId } from "../domain/ids.ts";
import type { Timers } from "../domain/timers.ts";
import { isSigned, readSignature } from "../security/webhook-signature.ts";
import { type BodyLimits, readBody } from "./body.ts";
import { parsePayload } from "./json.ts";

/** Where a kind of forge writes what of a delivery; header names in lower case, the first that is there counts. */
export interface HookFormat {
  headers: {
    id: readonly string[];
    event: readonly string[];
    eventType: readonly string[];
    signature: readonly { header: string; prefix: string }[];
  };
  /** Every repository that the payload could be taken to be about. */
  payloadRepositoryIds(payload: unknown): readonly number[];
}

/** A configured webhook of one repository. */
export interface Hook {
  forge: ForgeId;
  hookId: string;
  repositoryId: number;
  /** More than one while the secret is being changed. */
  secrets: readonly string[];
  /** Where people set the secret, for messages: the name of a file or variable. */
  secretSource: string;
  format: HookFormat;
}

export interface Answered {
  forge: string;
  hookId: string;
  status: number;
  /** What was wrong; null where the delivery was accepted. */
  error: string | null;
  delivery: DeliveryId | null;
  duplicate: boolean;
  /** Why the store failed, where it did. */
  cause?: unknown;
}

export interface WebhookDeps {
  hook(forge: string, hookId: string): Hook | null;
  /** Resolves when it is on disk; `id` is that of the first copy. */
  store(delivery: Delivery): Promise<{ id: DeliveryId; duplicate: boolean }>;
  isQueueFull(error: unknown): boolean;
  newDeliveryId(): DeliveryId;
  clock: Clock;
  timers: Timers;
  /** For logs and metrics; after a 202 there is something to normalise. */
  onAnswer(answered: Answered): void;
  limits?: Partial<BodyLimits>;
}

export type WebhookHandler = (request: Request, forge: string, hookId: string) => Promise<Response>;

/** Forgejo gives up after 5 s, GitHub after 10. */
const defaultLimits: BodyLimits = { maxBytes: 4 * 1024 * 1024, timeoutMs: 10_000 };
const retryAfterSeconds = 5;

interface Refusal {
  status: number;
  error: string;
  hint: string;
  headers?: Record<string, string>;
  cause?: unknown;
}

type Accepted = { id: DeliveryId; duplicate: boolean };

/** Answers 202 only to what is signed, readable and stored; nothing of a body is looked at before its signature holds. */
export function createWebhookHandler(deps: WebhookDeps): WebhookHandler {
  return async (request, forge, hookId) => {
    const outcome = await receive(deps, request, forge, hookId);
    const at = { forge, hookId };
    if ("id" in outcome) {
      const { id: delivery, duplicate } = outcome;
      deps.onAnswer({ ...at, status: 202, error: null, delivery, duplicate });
      return Response.json({ delivery, duplicate }, { status: 202 });
    }
    const { status, error, hint, headers = {}, cause } = outcome;
    deps.onAnswer({
      ...at,
      status,
      error,
      delivery: null,
      duplicate: false,
      ...(cause === undefined ? {} : { cause }),
    });
    return Response.json({ error, hint }, { status, headers });
  };
}

async function receive(
  deps: WebhookDeps,
  request: Request,
  forge: string,
  hookId: string,
): Promise<Accepted | Refusal> {
  if (request.method !== "POST")
    return {
      status: 405,
      error: "only POST is answered here",
      hint: "This address is for a forge's webhook.",
      headers: { Allow: "POST" },
    };
  const hook = deps.hook(forge, hookId);
  if (hook === null) return unknownHook;
  const signature = signatureOf(request.headers, hook.format);
  if (signature === null) return unsigned(hook, "the signature is missing, empty or no HMAC-SHA256 in hex");
  const body = await readBody(request, { ...defaultLimits, ...deps.limits }, deps.timers);
  if (body.kind !== "read") return unread(body.kind, deps.limits?.maxBytes ?? defaultLimits.maxBytes);
  if (!isSigned(body.bytes, signature, hook.secrets)) return unsigned(hook, "the signature is wrong");
  return await accept(deps, hook, request.headers, body.bytes);
}

/** Of a body that its forge signed. */
async function accept(deps: WebhookDeps, hook: Hook, headers: Headers, body: Uint8Array): Promise<Accepted | Refusal> {
  const { format, forge, hookId, repositoryId } = hook;
  const uuid = first(headers, format.headers.id);
  const event = first(headers, format.headers.event);
  const eventType = first(headers, format.headers.eventType);
  if (uuid === null || event === null || eventType === null) return withoutHeaders(format);
  const payload = parsePayload(body);
  if (!payload.ok) return unreadable(payload.fault, headers);
  const stranger = format.payloadRepositoryIds(payload.value).find((id) => id !== repositoryId);
  if (stranger !== undefined) return wrongRepository(stranger, hook);
  const receivedAt = deps.clock.now();
  try {
    return await deps.store({ id: deps.newDeliveryId(), forge, hookId, uuid, event, eventType, body, receivedAt });
  } catch (cause) {
    return notStored(deps.isQueueFull(cause), cause);
  }
}

function signatureOf(headers: Headers, { headers: { signature } }: HookFormat): Uint8Array | null {
  const present = signature.find(({ header }) => headers.has(header));
  return present === undefined ? null : readSignature(headers.get(present.header) ?? "", present.prefix);
}

/** Forges write ids and names of events only; anything else in these headers counts as nothing. */
function first(headers: Headers, names: readonly string[]): string | null {
  const name = names.find((candidate) => headers.has(candidate));
  const value = name === undefined ? "" : (headers.get(name) ?? "");
  return /^[\w.:-]{1,100}$/.test(value) ? value : null;
}

const unknownHook: Refusal = {
  status: 404,
  error: "there is no such hook",
  hint: "The address is /webhooks/<forge>/<hook_id>, with the names of the service's configuration.",
};

const unsigned = ({ secretSource }: Hook, error: string): Refusal => ({
  status: 401,
  error,
  hint: `Set the same secret in the forge's webhook and in ${secretSource}.`,
});

function unread(kind: "too-large" | "too-slow" | "cut", maxBytes: number): Refusal {
  switch (kind) {
    case "too-large":
      return {
        status: 413,
        error: `the body has more than ${maxBytes} bytes`,
        hint: "No delivery of a forge is so large; look at who sends it.",
        headers: { Connection: "close" },
      };
    case "too-slow":
      return {
        status: 408,
        error: "the body did not arrive in time",
        hint: "Look at the network between the forge and this service, then replay the delivery from the webhook's page.",
        headers: { Connection: "close" },
      };
    case "cut":
      return { status: 400, error: "the body was cut off", hint: "Replay the delivery from the webhook's page." };
    default:
      return kind satisfies never;
  }
}

const withoutHeaders = ({ headers }: HookFormat): Refusal => ({
  status: 400,
  error: `a header is missing or malformed: ${[headers.id, headers.event, headers.eventType].map(([name]) => name).join(", ")} are needed`,
  hint: "Make the webhook with the type of the forge itself, and let no proxy remove these headers.",
});

function unreadable(error: string, headers: Headers): Refusal {
  const isForm = headers.get("Content-Type")?.startsWith("application/x-www-form-urlencoded") === true;
  const hint = isForm
    ? "Set the webhook's content type to application/json."
    : "Send the payload as the forge makes it, and let no proxy change it.";
  return { status: 400, error, hint };
}

const wrongRepository = (stranger: number, { repositoryId }: Hook): Refusal => ({
  status: 403,
  error: `the payload is about the repository with id ${stranger}, and this hook is for ${repositoryId}`,
  hint: "Give each repository a webhook of its own, with its own hook_id and secret.",
});

const notStored = (isFull: boolean, cause: unknown): Refusal => ({
  status: isFull ? 503 : 500,
  error: isFull ? "too many deliveries wait to be stored" : "the delivery could not be stored",
  hint: "Forges do not send it again by themselves: replay it from the webhook's page when the service is well.",
  headers: { "Retry-After": String(retryAfterSeconds) },
  cause,
});
