import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
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

  test("a checkout set aside is kept until somebody removes it", async () => {
    const lane = await jail.openLane("dev:aside" as LaneKey);
    for (const stamp of ["1", "2", "3", "4"]) {
      writeFileSync(join(lane.checkout, "file"), stamp);
      await jail.setAside(lane, stamp);
    }
    const { stdout } = await jail.run(lane, ["ls", "-A", "/repo"], bounds);
    expect(new TextDecoder().decode(stdout)).toBe("");
    expect(readFileSync(join(lane.dir, "kept-1", "file"), "utf8")).toBe("1");
    const listed = (await jail.listLanes()).find(({ key }) => key === lane.key);
    expect(listed).toMatchObject({ dir: lane.dir, checkout: false });
    expect(listed?.kept.map(({ stamp }) => stamp)).toEqual(["1", "2", "3", "4"]);
  });

  test("a checkout is removed whatever its agent did to it, and nothing beside it", async () => {
    const lane = await jail.openLane("dev:gone" as LaneKey);
    writeFileSync(join(lane.home, "file"), "");
    await jail.run(lane, ["sh", "-c", "mkdir -p a/b; echo x > a/b/c; ln -s /home/agent out; chmod 0 a/b a"], bounds);
    await jail.removeCheckout(lane.key);
    expect(readdirSync(lane.dir).toSorted()).toEqual(["etc", "home"]);
    expect(readdirSync(lane.home)).toEqual(["file"]);
    expect((await jail.openLane(lane.key)).checkout).toBe(lane.checkout);
  });

  test("a lane that is removed gives its slot back, and one that was removed half is removed whole later", async () => {
    const lane = await jail.openLane("dev:over" as LaneKey);
    await jail.removeLane(lane.key);
    await jail.removeLane(lane.key);
    expect((await jail.listLanes()).map(({ key }) => key)).not.toContain(lane.key);
    expect((await jail.openLane("dev:next" as LaneKey)).slot).toBe(lane.slot);
    mkdirSync(join(lane.dir, "removing-x", "deep"), { recursive: true });
    mkdirSync(join(folder.path, "state", "lanes", "removing-9"));
    expect(await jail.clearRemovals()).toBe(2);
    expect(await jail.clearRemovals()).toBe(0);
    expect(existsSync(lane.checkout)).toBe(true);
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
