import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const run = (args: string[]) =>
  Bun.spawn([process.execPath, join(import.meta.dir, "cli.ts"), ...args], { stdout: "pipe", stderr: "pipe" });

test("the command prints its address and tokens that work, and ends on an interrupt", async () => {
  const dir = await mkdtemp(join(tmpdir(), "forge-sim-cli-"));
  const child = run(["--port", "0", "--dir", dir]);
  let text = "";
  for await (const chunk of child.stdout) {
    text += new TextDecoder().decode(chunk);
    if (!text.includes("Ctrl-C")) continue;
    const url = /listens on (\S+)/.exec(text)?.[1] ?? "";
    const token = /^alice\s+(\S+)/m.exec(text)?.[1] ?? "";
    const user = await fetch(`${url}/api/v1/user`, { headers: { authorization: `token ${token}` } });
    expect(((await user.json()) as { login: string }).login).toBe("alice");
    child.kill("SIGINT");
  }
  expect(await child.exited).toBe(0);
  await rm(dir, { recursive: true });
});

test("the command says what is wrong with an option", async () => {
  const child = run(["--port", "many"]);
  expect(await child.stderr.text()).toContain("--port many: expected a number");
  expect(await child.exited).toBe(2);
});
