import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LaneKey } from "../domain/ids.ts";
import { type Jail, openJail } from "./jail.ts";
import { isRoot, jailSettings, openFolder, ports, testJail } from "./testing/jails.ts";

const bounds = { timeoutMs: 30_000, maxOutputBytes: 1_000_000 };

describe("lanes", () => {
  const folder = openFolder();
  let jail: Jail;
  beforeAll(async () => {
    jail = await testJail(folder.path);
  });
  afterAll(() => folder[Symbol.dispose]());

  test("a lane has the same folders and ids after a restart, and no other lane has them", async () => {
    const first = await jail.openLane("dev:one" as LaneKey);
    const second = await jail.openLane("dev:two" as LaneKey);
    const restarted = await testJail(folder.path);
    expect(await restarted.openLane("dev:one" as LaneKey)).toEqual(first);
    expect(second.slot).not.toBe(first.slot);
    expect(second.checkout).not.toBe(first.checkout);
    for (const lane of [first, second]) {
      expect(statSync(lane.checkout).uid).toBe(lane.identity?.uid ?? process.getuid!());
      expect(statSync(lane.checkout).mode & 0o777).toBe(0o700);
    }
  });

  test("lanes opened at once get different slots", async () => {
    const lanes = await Promise.all(["a", "b", "c", "a"].map((name) => jail.openLane(`dev:${name}` as LaneKey)));
    expect(new Set(lanes.map(({ slot }) => slot)).size).toBe(3);
  });

  test("when all slots are taken it says so instead of sharing one", async () => {
    const other = openFolder();
    const small = await testJail(other.path, { ids: { base: 200_000, count: 2 } });
    await small.openLane("dev:one" as LaneKey);
    expect(small.openLane("dev:two" as LaneKey)).rejects.toMatchObject({ kind: "no-free-id" });
    other[Symbol.dispose]();
  });

  test("a checkout set aside is kept, and only the last three are", async () => {
    const lane = await jail.openLane("dev:aside" as LaneKey);
    for (const stamp of ["1", "2", "3", "4"]) {
      writeFileSync(join(lane.checkout, "file"), stamp);
      await jail.setAside(lane, stamp);
    }
    const { stdout } = await jail.run(lane, ["ls", "-A", "/repo"], bounds);
    expect(new TextDecoder().decode(stdout)).toBe("");
    expect(readFileSync(join(lane.dir, "kept-4", "file"), "utf8")).toBe("4");
    expect(() => statSync(join(lane.dir, "kept-1"))).toThrow();
  });

  test("folders that another user left are refused with the command that mends it", async () => {
    const lane = await jail.openLane("dev:foreign" as LaneKey);
    writeFileSync(join(lane.home, "file"), "");
    const settings = jailSettings(folder.path, { ids: { base: 300_000, count: 100 } });
    const opened = openJail(settings, ports).then((other) => other.openLane("dev:foreign" as LaneKey));
    if (isRoot) expect(opened).rejects.toThrow(/chown -R 3000\d\d /);
    if (!isRoot) expect(await opened).toEqual(lane);
  });
});
