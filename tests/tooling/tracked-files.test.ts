import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { repository } from "./tree.ts";

/** In pieces, so that this file does not carry them. */
const machineOnly = [
  // Where a path begins: "/proc/1/root/…" is nobody's home.
  new RegExp(`(?<![\\w}])${["", "work", ""].join("/")}`),
  new RegExp(`(?<![\\w}])${["", "root", ""].join("/")}`),
  new RegExp(["registry", "npmjs", "org"].join("\\.")),
  new RegExp(["deb", "debian", "org"].join("\\.")),
];

const trackedFiles = (): string[] => {
  const git = Bun.spawnSync(["git", "-c", `safe.directory=${repository}`, "ls-files", "-z"], { cwd: repository });
  if (git.exitCode !== 0) throw new Error(git.stderr.toString());
  return git.stdout.toString().split("\0").filter(Boolean);
};

test("no tracked file carries a path or a package host of one machine", async () => {
  const found: string[] = [];
  for (const file of trackedFiles()) {
    const text = await readFile(join(repository, file), "utf8").catch(() => "");
    found.push(...machineOnly.filter((name) => name.test(text)).map((name) => `${file}: ${name.source}`));
  }
  expect(found).toEqual([]);
});
