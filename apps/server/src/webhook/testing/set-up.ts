import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Delivery } from "../../domain/delivery.ts";
import type { DeliveryId, ForgeId } from "../../domain/ids.ts";
import { forges } from "../../forges/registry.ts";
import { manualClock } from "../../infrastructure/clock.ts";
import { type Answered, createWebhookHandler, type Hook, type WebhookDeps } from "../receive.ts";

export const folder = join(import.meta.dir, "../../../../../packages/forge-sim/fixtures/payloads");
const Index = z.object({
  secret: z.string(),
  samples: z.record(z.string(), z.object({ file: z.string(), headers: z.record(z.string(), z.string()) })),
});
export const { secret, samples } = Index.parse(JSON.parse(readFileSync(join(folder, "_index.json"), "utf8")));

export class QueueFull extends Error {}

export function setUp(change: Partial<Omit<WebhookDeps, "hook">> & { hooks?: Partial<Hook> } = {}) {
  const { hooks, ...deps } = change;
  const stored: Delivery[] = [];
  const answers: Answered[] = [];
  const clock = manualClock();
  const hook: Hook = {
    forge: "home" as ForgeId,
    hookId: "widgets",
    repositoryId: 7,
    secrets: [secret],
    secretSource: "the variable WIDGETS_SECRET",
    format: forges.forgejo,
    ...hooks,
  };
  const handler = createWebhookHandler({
    hook: (forge, hookId) => (forge === hook.forge && hookId === hook.hookId ? hook : null),
    async store(received) {
      const known = stored.find(({ uuid }) => uuid === received.uuid);
      if (known === undefined) stored.push(received);
      return { id: known?.id ?? received.id, duplicate: known !== undefined };
    },
    isQueueFull: (error) => error instanceof QueueFull,
    newDeliveryId: () => `delivery-${stored.length + 1}` as DeliveryId,
    clock,
    timers: clock,
    onAnswer: (answered) => answers.push(answered),
    ...deps,
  });
  const send = async (request: Request, forge = "home", hookId = "widgets") => {
    const response = await handler(request, forge, hookId);
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Record<string, unknown>,
    };
  };
  return { send, stored, answers, clock };
}

export const sign = (body: Uint8Array | string, key = secret) =>
  new Bun.CryptoHasher("sha256", key).update(body).digest("hex");
export const names = { "X-Forgejo-Delivery": "uuid-1", "X-Forgejo-Event": "issues", "X-Forgejo-Event-Type": "issues" };

type Sent = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

export const post = (body: Sent, headers: Record<string, string>) =>
  new Request("http://h/webhooks/home/widgets", { method: "POST", body, headers });

/** Signed, with every header; a header set to "" is left out. */
export function delivery(body: string | Uint8Array<ArrayBuffer>, change: Record<string, string> = {}): Request {
  const headers = Object.entries({ ...names, "X-Hub-Signature-256": `sha256=${sign(body)}`, ...change });
  return post(body, Object.fromEntries(headers.filter(([, value]) => value !== "")));
}

export const good = JSON.stringify({ action: "opened", repository: { id: 7 } });
