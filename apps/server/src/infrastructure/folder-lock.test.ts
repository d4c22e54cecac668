import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockFolder } from "./folder-lock.ts";

const folder = mkdtempSync(join(tmpdir(), "claude-hooks-lock-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const program = `
import { lockFolder } from ${JSON.stringify(join(import.meta.dirname, "folder-lock.ts"))};
const lock = lockFolder(${JSON.stringify(folder)});
process.stdout.write("held\\n");
process.stdin.on("data", () => lock[Symbol.dispose]());
`;

test("a folder has one service at a time, and is free again when that one is killed", async () => {
  const holder = Bun.spawn([process.execPath, "-e", program], { stdin: "pipe", stdout: "pipe" });
  await holder.stdout.getReader().read();
  expect(() => lockFolder(folder)).toThrow("is in use by another service");
  holder.kill("SIGKILL");
  await holder.exited;
  lockFolder(folder)[Symbol.dispose]();
  lockFolder(folder)[Symbol.dispose]();
});
