import { mkdir } from "node:fs/promises";
import { git } from "./run.ts";

export const zeroSha = "0".repeat(40);

/** Makes the bare repository; pushes to `refs/pull/` are refused, as Forgejo refuses them. */
export async function initBare(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  await git(dir, ["init", "--quiet", "--bare", "--initial-branch=main", "."]);
  const settings = { "receive.hideRefs": "refs/pull/", "http.receivepack": "true", "gc.auto": "0" };
  for (const [key, value] of Object.entries({ ...settings, "receive.autogc": "false" })) {
    await git(dir, ["config", key, value]);
  }
}

/** Branches and tags by full name; an annotated tag by its own object. */
export async function readRefs(dir: string): Promise<Map<string, string>> {
  const text = await git(dir, ["for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags"]);
  const lines = text.split("\n").filter((line) => line !== "");
  return new Map(lines.map((line): [string, string] => [line.slice(41), line.slice(0, 40)]));
}

export interface RefChange {
  ref: string;
  before: string;
  after: string;
}

/** What changed, in the order of names; a new ref has a `before` of zeros, a deleted one an `after` of zeros. */
export function refChanges(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): RefChange[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return names
    .map((ref) => ({ ref, before: before.get(ref) ?? zeroSha, after: after.get(ref) ?? zeroSha }))
    .filter((change) => change.before !== change.after);
}

export const branchRef = (branch: string): string => `refs/heads/${branch}`;

export function branchesOf(refs: ReadonlyMap<string, string>): string[] {
  return [...refs.keys()].filter((ref) => ref.startsWith("refs/heads/")).map((ref) => ref.slice(11));
}
