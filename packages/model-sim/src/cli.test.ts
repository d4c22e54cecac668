import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const cli = join(import.meta.dir, "cli.ts");
const example = join(import.meta.dir, "../examples/demo.json");

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "model-sim-cli-"));
});
afterEach(() => rm(folder, { recursive: true }));

const spawn = (...args: string[]) => Bun.spawn([process.execPath, cli, ...args], { stdout: "pipe", stderr: "pipe" });

test("it serves a script on TCP and a unix socket until it is told to stop", async () => {
  const socket = join(folder, "model.sock");
  const process = spawn("--script", example, "--port", "0", "--socket", socket);
  const output = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value: line } = await output.read();
  expect(line).toMatch(
    /^model-sim, a script and no model, listens on http:\/\/127\.0\.0\.1:\d+ and unix:.*model\.sock\n$/,
  );
  const url = line?.match(/http:\S+/)?.[0] ?? "";
  expect(await (await fetch(url)).text()).toContain('"a small fix"');
  const body = JSON.stringify({ model: "m", max_tokens: 1, messages: [{ role: "user", content: "hello" }] });
  const response = await fetch("http://localhost/v1/messages", { method: "POST", body, unix: socket });
  expect(response.status).toBe(400);
  expect((await output.read()).value).toContain("1 unexpected: model-sim, script");
  process.kill("SIGTERM");
  expect(await process.exited).toBe(0);
});

const refused: [string, (bad: string) => string[], string][] = [
  ["without a script", () => [], "--script is missing\nusage: "],
  ["with a file that is not there", () => ["--script", "/nowhere.json"], "/nowhere.json"],
  ["with a script that is not JSON", (bad) => ["--script", bad], "bad.json: not JSON: "],
  ["with a port that is none", () => ["--script", example, "--port", "http"], "--port http: not a port"],
  ["with an option that it does not have", () => ["--scripts", example], "--scripts"],
];

test.each(refused)("%s it stops and says what to do", async (_, args, message) => {
  const bad = join(folder, "bad.json");
  await writeFile(bad, "{");
  const process = spawn(...args(bad));
  expect(await process.stderr.text()).toContain(message);
  expect(await process.exited).toBe(1);
});
