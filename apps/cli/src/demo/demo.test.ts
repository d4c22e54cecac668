import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startModel } from "@claude-hooks/model-sim";
import { script } from "./script.ts";

// The real agent binary, twice, in its jail: seconds on an idle machine, many on a busy one.
setDefaultTimeout(180_000);

const main = resolve(import.meta.dirname, "../main.ts");

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "demo-"));
  await chmod(folder, 0o711);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function start(args: string[], env: Record<string, string> = {}) {
  const { ANTHROPIC_API_KEY: _, ANTHROPIC_BASE_URL: __, ...rest } = process.env;
  return Bun.spawn([process.execPath, main, "demo", ...args], {
    env: { ...rest, TMPDIR: folder, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** Reads on until the text holds `wanted`, or ends. */
async function readUntil(chunks: AsyncIterator<Uint8Array>, wanted: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes(wanted)) {
    const { done, value } = await chunks.next();
    if (done === true) break;
    text += decoder.decode(value, { stream: true });
  }
  return text;
}

const servicePid = (story: string): number => Number(/process (\d+)/.exec(story)?.[1]);

/** A process and all that it started: the broker, and jails with agents. */
function family(pid: number): number[] {
  const tasks = existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : [];
  const children = tasks.flatMap((task) => {
    const file = `/proc/${pid}/task/${task}/children`;
    return existsSync(file) ? readFileSync(file, "utf8").trim().split(" ").filter(Boolean).map(Number) : [];
  });
  return [pid, ...children.flatMap(family)];
}

/** The kernel ends a jail with its parent, a moment later. */
async function allGone(pids: number[]): Promise<boolean> {
  const left = () => pids.filter((pid) => existsSync(`/proc/${pid}`));
  for (let look = 0; look < 200 && left().length > 0; look += 1) await Bun.sleep(10);
  return left().length === 0;
}

describe("the demo", () => {
  test("ends with a pull request made by the real agent binary, and a comment's resumed session", async () => {
    const child = start(["--exit", "--json"]);
    const [out, story] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    expect(await child.exited, story).toBe(0);
    const outcome = JSON.parse(out);
    expect(outcome.checks.filter(({ ok }: { ok: boolean }) => !ok)).toEqual([]);
    expect(outcome.ok).toBe(true);
    const [first, second] = outcome.runs;
    expect(first.start).toStartWith("started fresh");
    expect(second.start).toStartWith("resumed");
    expect(second.session).toBe(first.session);
    expect(outcome.deliveries.accepted).toBe(outcome.deliveries.sent);
    expect(story.split("\n", 1)[0]).toContain("the forge is a simulator, the model a script and no model");
    for (const told of ["Edit src/slugify.ts", "4 pass, 0 fail", "Spell out ß, æ and ø", "resumed: the same as before"])
      expect(story).toContain(told);
    expect(await allGone([servicePid(story)])).toBe(true);
    expect(await readdir(folder)).toEqual([]);
  });

  test("leaves nothing behind when it is told to stop while the agent works", async () => {
    const child = start([]);
    const output = child.stdout[Symbol.asyncIterator]();
    const story = await readUntil(output, "$ bun test");
    const started = family(servicePid(story));
    expect(started.length).toBeGreaterThan(2);
    child.kill("SIGTERM");
    await readUntil(output, "nothing more");
    expect(await child.exited).toBe(130);
    expect(await allGone(started)).toBe(true);
    expect(await readdir(folder)).toEqual([]);
  });

  test("leaves nothing behind when a second Ctrl-C does not wait for the service", async () => {
    const child = start([]);
    const output = child.stdout[Symbol.asyncIterator]();
    const story = await readUntil(output, "$ bun test");
    const started = family(servicePid(story));
    child.kill("SIGINT");
    await readUntil(output, "stopping");
    child.kill("SIGINT");
    await readUntil(output, "nothing more");
    expect(await child.exited).toBe(130);
    expect(await allGone(started)).toBe(true);
    expect(await readdir(folder)).toEqual([]);
  });

  test("asks the real model with --live, by the key in the environment", async () => {
    await using model = await startModel({ script, apiKey: "a-real-key" });
    const child = start(["--live", "--exit", "--json"], {
      ANTHROPIC_API_KEY: "a-real-key",
      ANTHROPIC_BASE_URL: model.url,
    });
    const [out, story] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    expect(await child.exited, story).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ ok: true, live: true, model_requests: null });
    expect(model.requests().length).toBeGreaterThan(5);
    expect(story).toContain(`the model a real one (${model.url})`);
  });

  test("says that --live needs a key", async () => {
    const child = start(["--live"]);
    expect(await new Response(child.stderr).text()).toContain("ANTHROPIC_API_KEY");
    expect(await child.exited).toBe(2);
  });
});
