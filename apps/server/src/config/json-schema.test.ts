import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { configJsonSchema } from "./json-schema.ts";
import { loadConfig } from "./load.ts";

const folder = join(import.meta.dir, "../../../../config");

test("the published JSON Schema is the one that the service checks by (`claude-hooks schema` prints it)", () => {
  expect(readFileSync(join(folder, "agents.schema.json"), "utf8")).toBe(configJsonSchema());
});

test("the example is a configuration that the service takes", () => {
  const env = { FORGE_SERVICE_TOKEN: "a", WIDGETS_HOOK_SECRET: "b", FORGE_DEV_TOKEN: "c", ANTHROPIC_API_KEY: "d" };
  const config = loadConfig(join(folder, "agents.example.json"), env);
  expect(config.repositories.map(({ hookId }) => hookId)).toEqual(["widgets"]);
});
