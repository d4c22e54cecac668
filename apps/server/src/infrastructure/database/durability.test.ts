import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { forEachDatabase } from "../../../../../tests/support/databases.ts";
import { createDeliveryStore } from "./deliveries.ts";
import { forge } from "./testing/seed.ts";

const program = fileURLToPath(import.meta.resolve("./testing/acknowledge.ts"));
const lives = 5;

/** Lets it acknowledge so many, kills it in the middle of its work, and answers all that it acknowledged. */
async function liveUntil(url: string, life: number, enough: number): Promise<string[]> {
  const child = Bun.spawn([process.execPath, program, url, String(life)], { stdout: "pipe", stderr: "inherit" });
  const decoder = new TextDecoder();
  let said = "";
  for await (const chunk of child.stdout) {
    said += decoder.decode(chunk, { stream: true });
    if (said.split("\n").length > enough) child.kill("SIGKILL");
  }
  await child.exited;
  return said.split("\n").slice(0, -1);
}

forEachDatabase((_, open) => {
  test("every acknowledged delivery is there once, however often the server is killed", async () => {
    const url = await open.url();
    const acknowledged = new Set<string>();
    for (let life = 1; life <= lives; life++)
      for (const uuid of await liveUntil(url, life, 40 * life)) acknowledged.add(uuid);
    expect(acknowledged.size).toBeGreaterThan(lives * 20);

    await using db = await open({ url });
    const store = createDeliveryStore(db);
    const stored = await store.list({ limit: 1_000_000 });
    const uuids = stored.map(({ uuid }) => uuid);
    expect(new Set(uuids).size).toBe(uuids.length);
    expect([...acknowledged].filter((uuid) => !uuids.includes(uuid))).toEqual([]);
    const one = await store.findByUuid(forge, "main", [...acknowledged].at(-1)!);
    expect(new TextDecoder().decode(one!.body)).toBe(one!.uuid);
  }, 60_000);
});
