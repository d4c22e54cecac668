import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { outputText } from "../domain/process.ts";
import { Mirrors } from "./mirror.ts";
import { sweepMirrors } from "./mirror-leftovers.ts";
import { World } from "./testing/world.ts";

describe("what is left among the mirrors", () => {
  let world: World;
  let warnings: string[];
  beforeEach(async () => {
    world = await World.open();
    warnings = [];
  });
  afterEach(() => world[Symbol.dispose]());

  const folder = () => dirname(world.mirror.path);
  const log = { debug() {}, info() {}, error() {}, warn: (_: unknown, text: string) => void warnings.push(text) };
  function sweep(options: { before?: number; inUse?: boolean } = {}): Promise<number> {
    const mirrors = new Mirrors(world.git, { folder: folder(), group: null, fetchTimeoutMs: 60_000 });
    const deps = { git: world.git, mirrors, log, isInUse: async () => options.inUse === true };
    return sweepMirrors(deps, options.before ?? Number.MAX_SAFE_INTEGER, new AbortController().signal);
  }
  const refs = async () =>
    outputText(await world.mirror.git(["for-each-ref", "--format=%(refname)", "refs/claude-hooks"])).trim();
  /** Breaks the mirror so that its next sync makes it anew, with saved work in the old one. */
  async function breakMirror(): Promise<void> {
    await world.open();
    await world.agent("echo mine > README");
    await world.save();
    rmSync(join(world.mirror.path, "HEAD"));
    writeFileSync(join(world.mirror.path, "HEAD"), "ref: refs/heads/none\n");
    rmSync(join(world.mirror.path, "packed-refs"), { force: true });
    writeFileSync(join(world.mirror.path, "refs/heads/main"), "broken\n");
  }

  test("goes: locks, half packs, and mirrors that were never finished", async () => {
    const left = ["HEAD.lock", "refs/heads/main.lock", "objects/pack/tmp_pack_x"].map((name) =>
      join(world.mirror.path, name),
    );
    for (const path of left) writeFileSync(path, "");
    mkdirSync(`${world.mirror.path}.partial/objects`, { recursive: true });
    mkdirSync(join(folder(), "somebody-elses"));
    expect(await sweep()).toBe(4);
    expect(await sweep()).toBe(0);
    expect(left.filter((path) => existsSync(path))).toEqual([]);
    expect(readdirSync(folder()).toSorted()).toEqual(["forge-7.git", "somebody-elses"]);
    await world.sync();
  });

  test("saved work moves on to the mirror that is made anew", async () => {
    await breakMirror();
    const before = await refs();
    expect(before).toContain("/saved/");
    const synced = await world.mirror.sync(world.remote);
    expect(synced.kind === "synced" && synced.notes.join()).toMatch(/^the mirror was broken and was made anew [^]*$/);
    expect(await refs()).toBe(before);
    await world.removeCheckout();
    await world.open();
    expect((await world.restore()).notes.join()).toContain("1 uncommitted changes");
  });

  test("a mirror that was given up goes when its time is over and nobody has it mounted", async () => {
    await breakMirror();
    await world.sync();
    const broken = `${world.mirror.path}.broken`;
    expect(await sweep({ before: 0 })).toBe(0);
    expect(await sweep({ inUse: true })).toBe(0);
    expect(existsSync(broken)).toBe(true);
    const saved = await refs();
    for (const ref of saved.split("\n")) await world.mirror.git(["update-ref", "-d", ref]);
    expect(await sweep()).toBe(1);
    expect(existsSync(broken)).toBe(false);
    expect(await refs()).toBe(saved);
  });

  test("a mirror that was given up stays while it holds work that is nowhere else", async () => {
    await breakMirror();
    rmSync(join(world.mirror.path, "objects"), { recursive: true });
    mkdirSync(join(world.mirror.path, "objects"));
    const synced = await world.mirror.sync(world.remote);
    expect(synced.kind === "synced" && synced.notes.join()).toContain("could not be carried over whole");
    expect(await sweep()).toBe(0);
    expect(warnings.join()).toContain("holds work of lanes");
    expect(existsSync(`${world.mirror.path}.broken`)).toBe(true);
  });
});
