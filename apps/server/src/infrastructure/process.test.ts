import { describe, expect, test } from "bun:test";
import { outputText } from "../domain/process.ts";
import { captureProcess, startProcess, wholeGroup } from "./process.ts";

const bounds = { timeoutMs: 60_000, maxOutputBytes: 1_000 };
const start = (script: string) =>
  startProcess(["/bin/sh", "-c", script], { cwd: "/", env: { GIVEN: "yes" }, group: true });
const run = (script: string, changes: Partial<Parameters<typeof captureProcess>[1]> = {}) =>
  captureProcess(wholeGroup(start(script)), { ...bounds, ...changes });
const isGone = (pid: number) => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

describe("a captured process", () => {
  test("gives its output, its exit code and its words on standard error", async () => {
    const result = await run("cat; echo bad >&2; exit 3", { input: new TextEncoder().encode("in") });
    expect({ ...result, stdout: outputText(result) }).toEqual({
      end: "exited",
      exitCode: 3,
      signal: null,
      stdout: "in",
      stderr: "bad\n",
    });
  });

  test("sees no environment but what it is given", async () => {
    expect(outputText(await run("env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD="))).toBe("GIVEN=yes\n");
  });

  test("that writes more than it may is ended", async () => {
    const result = await run("while echo y; do :; done");
    expect(result.end).toBe("too-much-output");
    expect(result.stdout.length).toBeLessThanOrEqual(1_000);
  });

  test("keeps the end of a long output where asked to", async () => {
    const result = await run("seq 100000", { keepTail: true });
    expect(result.end).toBe("exited");
    expect(outputText(result)).toEndWith("99999\n100000\n");
    expect(result.stdout.length).toBe(1_000);
  });

  test("that takes too long is ended with its children", async () => {
    const result = await run("sleep 1000 & echo $!; wait", { timeoutMs: 100 });
    expect(result.end).toBe("timed-out");
    const child = Number(outputText(result));
    while (!isGone(child)) await new Promise((resolve) => setImmediate(resolve));
    expect(isGone(child)).toBe(true);
  });

  test("is ended by an abort, also by one that came before", async () => {
    const controller = new AbortController();
    const child = start("echo ready; tail -f /dev/null");
    child.stdout.once("data", () => controller.abort());
    expect((await captureProcess(wholeGroup(child), { ...bounds, signal: controller.signal })).end).toBe("aborted");
    expect((await run("tail -f /dev/null", { signal: AbortSignal.abort() })).end).toBe("aborted");
  });

  test("that does not read its input is judged by its exit code", async () => {
    expect(await run("exit 0", { input: new Uint8Array(1_000_000) })).toMatchObject({ end: "exited", exitCode: 0 });
  });

  test("that cannot be started rejects", () => {
    const child = startProcess(["/absent/program"], { cwd: "/", env: {} });
    expect(captureProcess(child, bounds)).rejects.toThrow(/ENOENT/);
  });
});
