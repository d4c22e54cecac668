import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Service } from "./service.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "demo-service-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("a service that does not start says why, in its own words", async () => {
  const configFile = join(folder, "agents.json");
  await writeFile(configFile, '{"state_dir": 5}');
  const service = new Service({ configFile, stateDir: folder }, false);
  const told = Promise.withResolvers<string>();
  service.onDeath(({ message }) => told.resolve(message));
  const message = await told.promise;
  expect(message).toStartWith("the service ended by itself, with exit code 1:");
  expect(message).toContain("state_dir: ");
  expect(message).toContain("forges: ");
});
