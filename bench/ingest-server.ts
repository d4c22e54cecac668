import { join } from "node:path";
import type { ForgeId } from "../apps/server/src/domain/ids.ts";
import { forges } from "../apps/server/src/forges/registry.ts";
import { systemClock, systemTimers } from "../apps/server/src/infrastructure/clock.ts";
import { createDeliveryStore, createDeliveryWriter } from "../apps/server/src/infrastructure/database/deliveries.ts";
import { openDatabase } from "../apps/server/src/infrastructure/database/open.ts";
import { newId } from "../apps/server/src/infrastructure/ids.ts";
import { createWebhookHandler } from "../apps/server/src/webhook/receive.ts";

/** One variant of `ingest.ts` in a process of its own; prints its address. */
const [variant = "", folder = "", secret = ""] = process.argv.slice(2);

async function handler(): Promise<(request: Request) => Promise<Response>> {
  if (variant === "bare") {
    return async (request) => {
      await request.arrayBuffer();
      return Response.json({ delivery: "none", duplicate: false }, { status: 202 });
    };
  }
  const db = await openDatabase(`sqlite:${join(folder, "bench.db")}`, { clock: systemClock });
  const writer = createDeliveryWriter(db);
  const store = createDeliveryStore(db);
  const receive = createWebhookHandler({
    clock: systemClock,
    timers: systemTimers,
    newDeliveryId: newId.delivery,
    isQueueFull: () => false,
    onAnswer: () => {},
    hook: () => ({
      forge: "main" as ForgeId,
      hookId: "bench",
      repositoryId: 7,
      secrets: [secret],
      secretSource: "the bench",
      format: forges.forgejo,
    }),
    async store(delivery) {
      if (variant === "group-commit") return await writer.add(delivery);
      const [receipt] = await store.insertMany([delivery]);
      if (receipt === undefined) throw new Error("nothing was stored");
      return receipt;
    },
  });
  return (request) => receive(request, "main", "bench");
}

const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: await handler() });
process.stdout.write(`http://127.0.0.1:${server.port}/\n`);
