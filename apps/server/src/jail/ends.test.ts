import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { LaneKey } from "../domain/ids.ts";
import { openFolder, processesWith, testJail } from "./testing/jails.ts";
import { holdScript } from "./testing/probe.ts";

describe("the end of a jail", () => {
  const folder = openFolder();
  afterAll(() => folder[Symbol.dispose]());
  const ready = (stdout: NodeJS.EventEmitter) => new Promise((resolve) => stdout.once("data", resolve));
  const token = () => `held-${crypto.randomUUID()}`;

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((resolve) => setImmediate(resolve));
  }

  test.each(["SIGTERM", "SIGKILL"] as const)(
    "%s takes children in sessions of their own with it, before `exit`",
    async (signal) => {
      const name = token();
      const jail = await testJail(folder.path);
      const child = jail.spawn(await jail.openLane("dev:end" as LaneKey), ["/bin/bash", "-c", holdScript(name)]);
      const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
      await ready(child.stdout);
      await until(() => processesWith(name).length >= 3);
      expect(child.kill(signal)).toBe(true);
      expect(child.killed).toBe(true);
      expect(await exited).toBe(signal === "SIGTERM" ? 143 : 137);
      expect(processesWith(name)).toEqual([]);
      expect(child.kill(signal)).toBe(false);
    },
  );

  test("an abort that comes before the jail is up leaves nothing", async () => {
    const name = token();
    const jail = await testJail(folder.path);
    const lane = await jail.openLane("dev:abort" as LaneKey);
    const child = jail.spawn(lane, ["/bin/bash", "-c", holdScript(name)], { signal: AbortSignal.abort() });
    await new Promise((resolve) => child.once("exit", resolve));
    await until(() => processesWith(name).length === 0);
    expect(child.killed).toBe(true);
  });

  test("a kill in the first milliseconds, while the jail is being made, leaves nothing either", async () => {
    const name = token();
    const jail = await testJail(folder.path);
    const lane = await jail.openLane("dev:early" as LaneKey);
    for (let turns = 0; turns < 60; turns++) {
      const child = jail.spawn(lane, ["/bin/bash", "-c", holdScript(name)]);
      const exited = new Promise((resolve) => child.once("exit", resolve));
      // A turn of the event loop is some microseconds: together they cover the milliseconds that a jail takes to be made.
      for (let turn = 0; turn < turns * 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      child.kill("SIGKILL");
      await exited;
    }
    await until(() => processesWith(name).length === 0);
    expect(processesWith(name)).toEqual([]);
  });

  test("kill -9 of the service takes the whole jail with it", async () => {
    const name = token();
    const program = join(import.meta.dir, "testing/probe.ts");
    const service = Bun.spawn([process.execPath, program, "hold", folder.path, name], { stderr: "inherit" });
    const reader = service.stdout.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("ready\n");
    await until(() => processesWith(name).length >= 3);
    service.kill("SIGKILL");
    await service.exited;
    await until(() => processesWith(name).length === 0);
    expect(processesWith(name)).toEqual([]);
  });
});
