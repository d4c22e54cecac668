import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { isRoot, openFolder } from "./testing/jails.ts";
import { type Findings, probe } from "./testing/probe.ts";

/** The probe as a user without rights: what stands in this clone may be out of that user's reach, so it gets copies. */
async function probeAsOrdinaryUser(folder: string): Promise<Findings> {
  if (!isRoot) return probe(folder);
  const built = await Bun.build({ entrypoints: [join(import.meta.dir, "testing/probe.ts")], target: "bun" });
  const program = join(folder, "program");
  mkdirSync(program);
  chmodSync(program, 0o755);
  await Bun.write(join(program, "probe.js"), built.outputs[0]!);
  chmodSync(join(program, "probe.js"), 0o644);
  copyFileSync(process.execPath, join(program, "bun"));
  chmodSync(join(program, "bun"), 0o755);
  const place = join(folder, "place");
  mkdirSync(place);
  chownSync(place, 64_001, 64_001);
  const dropped = ["setpriv", "--reuid=64001", "--regid=64001", "--clear-groups", "--inh-caps=-all"];
  const child = Bun.spawn([...dropped, join(program, "bun"), join(program, "probe.js"), "probe", place], {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", HOME: place, TMPDIR: "/tmp" },
    stderr: "pipe",
  });
  const said = await new Response(child.stderr).text();
  const found = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error(said);
  return JSON.parse(found) as Findings;
}

for (const [who, run] of [
  ["the user of this test", probe],
  ["an ordinary user", probeAsOrdinaryUser],
] as const)
  describe(`a jail opened by ${who}`, () => {
    const folder = openFolder();
    let found: Findings;
    let inside: Record<string, string>;
    beforeAll(async () => {
      found = await run(folder.path);
      inside = found.inside;
    }, 60_000);
    afterAll(() => folder[Symbol.dispose]());

    test("runs to its end and leaves no process", () => {
      expect(inside).toMatchObject({ end: "exited" });
      expect(found.leftOver).toBe(0);
    });

    test("shows neither the service's environment nor its files", () => {
      expect(JSON.stringify(inside)).not.toContain("canary");
      expect(inside["files"]).toContain("No such file");
      expect(inside["env"]).toContain("HOME=/home/agent");
    });

    test("shows only its own processes, and holds no descriptor of the service's", () => {
      const known = ["bash", "cat", "env", "sort", "tini", "tr"];
      expect(inside["processes"]!.split(" ").filter((name) => !known.includes(name))).toEqual([]);
      expect(inside["processes"]).toContain("tini");
      // The fourth is the folder that ls itself reads.
      expect(inside["opened"]).toBe("0 1 2 3");
    });

    test("has no network: no loopback of the machine's, no metadata address, no names", () => {
      expect(inside["loopback"]).toMatch(/refused/);
      expect(inside["metadata"]).toMatch(/unreachable/);
      expect(inside["dns"]).toBe("");
    });

    test("writes to the lane's folders and to nothing else", () => {
      expect(inside["own"]).toBe("kept kept");
      expect(inside["written"]).toBe("");
      expect(found.wroteOutside).toEqual([]);
      expect(inside["readonly"]).toMatch(/^a note.*Read-only file system/);
    });

    test("has no capabilities, and no user namespaces in which to get some", () => {
      expect(inside["capabilities"]).toMatch(/0000000000000000$/);
      expect(inside["namespaces"]).not.toContain("made");
    });

    test("keeps to its limits", () => {
      expect(Number(inside["bigfile"])).toBeLessThanOrEqual(2_000_000);
      expect(Number(inside["bigtmp"])).toBeLessThan(3_200_000);
      expect(inside["forks"]).toContain("Cannot fork");
    });

    test("has what real projects need: tools, git, a name for its user and for localhost", () => {
      expect(inside["tool"]).toBe("hello");
      expect(inside["git"]).toContain("## No commits yet");
      expect(inside["resolver"]).toMatch(/localhost .*agent:x:\d+:\d+:/);
    });

    test("separates users exactly where the service is root", () => {
      expect(found.uidSeparation).toBe(found.service === 0);
      expect(inside["uid"] === String(found.service)).toBe(found.service !== 0);
    });
  });
