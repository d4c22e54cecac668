import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ForgeId } from "../domain/ids.ts";
import { outputText, succeeded } from "../domain/process.ts";
import { isRoot } from "../jail/testing/jails.ts";
import { Mirrors } from "./mirror.ts";
import type { RunGit } from "./ports.ts";
import { World } from "./testing/world.ts";

describe("the mirror", () => {
  let world: World;
  beforeEach(async () => {
    world = await World.open();
  });
  afterEach(() => world[Symbol.dispose]());

  const isWhole = async () => succeeded(await world.mirror.git(["fsck", "--connectivity-only"]));

  test("follows the forge's branches, new, moved and gone, and never drops what lanes handed in", async () => {
    const moved = await world.commitOnForge("main", "a", "1");
    const topic = await world.commitOnForge("topic", "b", "2");
    await world.sync();
    await world.mirror.git(["update-ref", "refs/claude-hooks/dev/1/head", topic]);
    expect(await world.mirror.head("main")).toBe(moved);
    expect(await world.mirror.head("topic")).toBe(topic);
    await world.asPerson("git push -q origin :topic");
    await world.sync();
    expect(await world.mirror.head("topic")).toBeNull();
    expect(succeeded(await world.mirror.git(["rev-parse", "-q", "--verify", "refs/claude-hooks/dev/1/head"]))).toBe(
      true,
    );
  });

  test("brings in other refs that are asked for", async () => {
    const head = await world.commitOnForge("theirs", "c", "3");
    await world.asPerson(`git push -q origin HEAD:refs/pull/5/head :theirs`);
    expect(await world.mirror.sync(world.remote, ["refs/pull/5/head"])).toEqual({ kind: "synced", notes: [] });
    expect(outputText(await world.mirror.git(["rev-parse", "refs/pull/5/head"])).trim()).toBe(head);
  });

  test("stands under the forge's numeric id, which no name can lead out of its folder", () => {
    const mirrors = new Mirrors(world.git, { folder: "/m", group: null, fetchTimeoutMs: 1 });
    expect(mirrors.mirror("../x" as ForgeId, 9).path).toBe("/m/%2e%2e%2fx-9.git");
    expect(mirrors.mirror("a" as ForgeId, 9)).toBe(mirrors.mirror("a" as ForgeId, 9));
  });

  test("can be read by the lanes' group and by no other user", () => {
    const pack = statSync(world.mirror.path);
    expect(pack.mode & 0o007).toBe(0);
    if (isRoot) expect(pack.gid).toBe(world.jail.lanesGroup!);
  });

  test("that a crash left half made is made whole", async () => {
    rmSync(world.mirror.path, { recursive: true });
    mkdirSync(join(`${world.mirror.path}.partial`, "objects"), { recursive: true });
    writeFileSync(join(`${world.mirror.path}.partial`, "HEAD"), "half");
    expect(await world.mirror.sync(world.remote)).toEqual({ kind: "synced", notes: [] });
    expect(await isWhole()).toBe(true);
    expect(existsSync(`${world.mirror.path}.partial`)).toBe(false);
  });

  test("goes on after the locks of a git that was killed", async () => {
    const moved = await world.commitOnForge("main", "a", "1");
    writeFileSync(join(world.mirror.path, "refs", "heads", "main.lock"), "");
    expect(await world.mirror.sync(world.remote)).toMatchObject({
      kind: "synced",
      notes: [expect.stringContaining("1 lock file")],
    });
    expect(await world.mirror.head("main")).toBe(moved);
  });

  test.each<[string, (path: string) => void]>([
    ["lost its objects", (path) => rmSync(join(path, "objects"), { recursive: true })],
    ["lost its HEAD", (path) => rmSync(join(path, "HEAD"))],
    ["has a config that git cannot read", (path) => writeFileSync(join(path, "config"), "[core")],
  ])("that %s is made anew, and says so", async (_, harm) => {
    harm(world.mirror.path);
    const moved = await world.commitOnForge("main", "a", "1");
    const synced = await world.mirror.sync(world.remote);
    expect(synced.kind === "synced" && synced.notes.join()).toMatch(/broken and was made anew/);
    expect(await world.mirror.head("main")).toBe(moved);
    expect(await isWhole()).toBe(true);
  });

  test("stays as it is while the forge does not answer", async () => {
    const head = await world.mirror.head("main");
    const synced = await world.mirror.sync({ ...world.remote, url: `${world.remote.url}-absent` });
    expect(synced).toMatchObject({ kind: "failed", detail: expect.stringContaining("-absent") });
    expect(await world.mirror.head("main")).toBe(head);
  });

  test("takes one sync after the other", async () => {
    let running = 0;
    let most = 0;
    const counting: RunGit = async (args, options) => {
      running += args.includes("fetch") ? 1 : 0;
      most = Math.max(most, running);
      const result = await world.git(args, options);
      running -= args.includes("fetch") ? 1 : 0;
      return result;
    };
    const mirror = world.openMirror(counting);
    const all = await Promise.all([mirror.sync(world.remote), mirror.sync(world.remote), mirror.sync(world.remote)]);
    expect(all.map(({ kind }) => kind)).toEqual(["synced", "synced", "synced"]);
    expect(most).toBe(1);
  });

  test("refuses a forge's objects that could harm a checkout", async () => {
    await world.asPerson(`
      blob=$(echo evil | git hash-object -w --stdin)
      inner=$(printf '100644 blob %s\\tconfig\\n' $blob | git mktree)
      tree=$(printf '040000 tree %s\\t.git\\n' $inner | git mktree)
      git push -q origin $(git commit-tree $tree -m evil):refs/heads/evil`);
    expect(await world.mirror.sync(world.remote)).toMatchObject({ kind: "failed" });
    expect(await world.mirror.head("evil")).toBeNull();
  });
});

describe("the credential", () => {
  test("goes to the forge in a header, and neither to a redirect's target nor onto the disk", async () => {
    using world = await World.open();
    await world.asPerson(`git -C ${world.forge} update-server-info`);
    const seen: string[] = [];
    using elsewhere = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => (seen.push("elsewhere"), new Response()),
    });
    using forge = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname.startsWith("/moved")) return Response.redirect(`http://127.0.0.1:${elsewhere.port}${pathname}`);
        seen.push(request.headers.get("authorization") ?? "none");
        return new Response(Bun.file(join(world.folder.path, pathname)));
      },
    });
    const origin = `http://127.0.0.1:${forge.port}`;
    const remote = { url: `${origin}/forge.git`, header: "Basic c2VjcmV0LWNhbmFyeQ==" };
    const head = await world.commitOnForge("main", "d", "4");
    await world.asPerson(`git -C ${world.forge} update-server-info`);
    expect(await world.mirror.sync(remote)).toEqual({ kind: "synced", notes: [] });
    expect(await world.mirror.head("main")).toBe(head);
    expect(new Set(seen)).toEqual(new Set([remote.header]));
    expect(await world.mirror.sync({ ...remote, url: `${origin}/moved/x.git` })).toMatchObject({ kind: "failed" });
    expect(seen).not.toContain("elsewhere");
    const files = readdirSync(world.mirror.path, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    for (const { parentPath, name } of files)
      expect(readFileSync(join(parentPath, name)).includes("c2VjcmV0LWNhbmFyeQ")).toBe(false);
  });
});
