import { outputText, succeeded } from "../domain/process.ts";
import type { RunGit } from "./ports.ts";

/**
 * Brings what lanes handed in or had saved from a mirror that is given up into another one, refs that are there already
 * left as they are. Answers the refs that could not be brought; the whole name space where not even they can be read.
 */
export async function carryOver(git: RunGit, from: string, to: string): Promise<string[]> {
  const there = await laneRefsOf(git, from);
  if (there === null) return ["refs/claude-hooks"];
  const missing = async () => {
    const here = new Set(await laneRefsOf(git, to));
    return there.filter((ref) => !here.has(ref));
  };
  for (const ref of await missing()) {
    const quiet = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"];
    const fetch = [`--git-dir=${to}`, "-c", "protocol.file.allow=always", "fetch", ...quiet, "--end-of-options"];
    await git([...fetch, from, `${ref}:${ref}`]);
  }
  return await missing();
}

async function laneRefsOf(git: RunGit, path: string): Promise<string[] | null> {
  const listed = await git([`--git-dir=${path}`, "for-each-ref", "--format=%(refname)", "refs/claude-hooks/"]);
  if (!succeeded(listed)) return null;
  return outputText(listed)
    .split("\n")
    .filter((ref) => ref !== "");
}
