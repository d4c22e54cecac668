import { expect, test } from "bun:test";
import manifest from "../../package.json" with { type: "json" };
import { version } from "./version.ts";

test("the service tells the version of its package", () => {
  expect(version).toBe(manifest.version);
});
