import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { runSetup } from "./setup.ts";
import { World } from "./testing/world.ts";

describe("the set-up command", () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
    await world.open();
  });
  afterAll(() => world[Symbol.dispose]());
  const setup = (command: string, timeoutMs = 60_000) => runSetup(world.runner, command, { timeoutMs });

  test("runs in the checkout, and what it makes stays", async () => {
    expect(await setup("cat README; echo said > /dev/stdout; echo made > made")).toEqual({
      kind: "done",
      output: "hello\nsaid\n",
    });
    expect(await world.agent("cat made")).toBe("made");
  });

  test("that fails is told with its exit code and the end of its output", async () => {
    const result = await setup("seq 100000; echo broken >&2; exit 3");
    expect(result).toMatchObject({ kind: "failed", failure: { kind: "setup-failed", retryable: false } });
    const detail = result.kind === "failed" ? result.failure.detail : "";
    expect(detail).toMatch(/exit code 3.*100000\nbroken$/s);
    expect(detail.length).toBeLessThan(2_300);
  });

  test("has no network", async () => {
    expect(await setup("exec 3<>/dev/tcp/169.254.169.254/80")).toMatchObject({
      failure: { detail: expect.stringContaining("unreachable") },
    });
  });

  test("that does not end is ended", async () => {
    expect(await setup("tail -f /dev/null", 200)).toMatchObject({
      failure: { detail: expect.stringContaining("longer than 0.2 s") },
    });
  });
});
