import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { repository } from "./tree.ts";

/** In pieces, so that this file does not carry them. */
const machineOnly = [
  ["", "work", ""].join("/"),
  ["", "root", ""].join("/"),
  ["registry", "npmjs", "org"].join("."),
  ["deb", "debian", "org"].join("."),
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
    found.push(...machineOnly.filter((name) => text.includes(name)).map((name) => `${file}: ${name}`));
  }
  expect(found).toEqual([]);
});
