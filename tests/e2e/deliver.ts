import { createHmac } from "node:crypto";
import { secrets, type World } from "./world.ts";

/** A signed delivery as Forgejo sends it, of what the simulated one has no button for. */
export async function deliver({ hookUrl }: World, event: string, eventType: string, payload: object): Promise<void> {
  const body = JSON.stringify(payload);
  const signature = createHmac("sha256", secrets.hook).update(body).digest("hex");
  const response = await fetch(hookUrl, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-forgejo-delivery": crypto.randomUUID(),
      "x-forgejo-event": event,
      "x-forgejo-event-type": eventType,
      "x-forgejo-signature": signature,
    },
    body,
  });
  if (response.status !== 202) throw new Error(`the service answered ${response.status}: ${await response.text()}`);
}
