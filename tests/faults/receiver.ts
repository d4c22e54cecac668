import { createHmac } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openWorld, type World, type WorldOptions } from "../e2e/world.ts";

const payloads = new URL("../../packages/forge-sim/fixtures/payloads/", import.meta.url).pathname;
/** The repository of all samples. */
export const sampleRepository = 7;
/** What the samples are signed with. */
const sampleSecret = "test-webhook-secret";

/** A payload as Forgejo sends it, to the byte, with all its headers. */
export interface Sample {
  name: string;
  headers: Record<string, string>;
  body: Uint8Array<ArrayBuffer>;
}

interface SampleIndex {
  samples: Record<string, { file: string; headers: Record<string, string> }>;
}

export async function readSamples(): Promise<Sample[]> {
  const index = JSON.parse(await readFile(join(payloads, "_index.json"), "utf8")) as SampleIndex;
  const read = Object.entries(index.samples).map(async ([name, { file, headers }]) => ({
    name,
    headers,
    body: new Uint8Array(await readFile(join(payloads, file))),
  }));
  return await Promise.all(read);
}

/** No agent speaks in these tests: a request to the model would be an unexpected one. */
const noAgents: WorldOptions["script"] = {
  name: "nobody speaks",
  agents: [{ name: "nobody", match: { system: "no system prompt has this" }, turns: [{ steps: [{ text: "-" }] }] }],
};

/** A service whose hook is for the samples' repository and has their secret; it is not started yet. */
export async function openReceiver(config: Record<string, unknown> = {}): Promise<World> {
  const hook_secret = { file: "secrets/samples" };
  const world = await openWorld({ script: noAgents, repository: { id: sampleRepository, hook_secret }, config });
  await writeFile(join(world.folder, "secrets/samples"), sampleSecret, { mode: 0o600 });
  return world;
}

export const sign = (body: string | Uint8Array, secret = sampleSecret): string =>
  createHmac("sha256", secret).update(body).digest("hex");

/** The headers of a delivery of that body; a signature of the caller's own where it is given, none where it is null. */
export function headersFor(
  body: string | Uint8Array,
  { uuid, eventType = "push", signature }: { uuid: string; eventType?: string; signature?: string | null },
): Record<string, string> {
  const signed = signature === undefined ? sign(body) : signature;
  return {
    "Content-Type": "application/json",
    "X-Forgejo-Delivery": uuid,
    "X-Forgejo-Event": eventType,
    "X-Forgejo-Event-Type": eventType,
    ...(signed === null ? {} : { "X-Forgejo-Signature": signed }),
  };
}
