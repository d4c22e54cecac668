import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemTimers } from "./clock.ts";
import { watchFile } from "./watch-file.ts";

test("a folder that cannot be watched is told, and stops nothing", () => {
  const folder = mkdtempSync(join(tmpdir(), "watch-"));
  const failures: unknown[] = [];
  const failed = (error: unknown): void => void failures.push(error);
  const stop = watchFile(join(folder, "missing", "agents.json"), systemTimers, () => {}, failed);
  expect(failures).toEqual([expect.objectContaining({ code: "ENOENT" })]);
  stop();
  rmSync(folder, { recursive: true });
});
