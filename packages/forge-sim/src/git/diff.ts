import { git, gitEnvironment, tryGit } from "./run.ts";

export interface FileChange {
  path: string;
  previousPath: string | undefined;
  status: "added" | "modified" | "deleted" | "renamed";
  additions: number;
  deletions: number;
}

const statuses: Record<string, FileChange["status"]> = { A: "added", D: "deleted", R: "renamed" };

/** Reads git's `--raw --numstat -z`. */
export function parseChanges(text: string): FileChange[] {
  const tokens = text.split("\0").map((token) => token.replace(/^\n+/, ""));
  const changes = new Map<string, FileChange>();
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] ?? "";
    const raw = /^:\d+ \d+ \S+ \S+ ([A-Z])/.exec(token);
    if (raw) {
      const status = statuses[raw[1] ?? ""] ?? "modified";
      const previousPath = status === "renamed" ? tokens[(at += 1)] : undefined;
      const path = tokens[(at += 1)] ?? "";
      changes.set(path, { path, previousPath, status, additions: 0, deletions: 0 });
      continue;
    }
    const counts = /^(\d+|-)\t(\d+|-)\t(.*)$/s.exec(token);
    if (!counts) continue;
    const path = counts[3] === "" ? (tokens[(at += 2)] ?? "") : (counts[3] ?? "");
    const change = changes.get(path);
    if (!change) continue;
    change.additions = Number(counts[1]) || 0;
    change.deletions = Number(counts[2]) || 0;
  }
  return [...changes.values()];
}

export async function changedFiles(dir: string, from: string, to: string): Promise<FileChange[]> {
  return parseChanges(await git(dir, ["diff", "--raw", "--numstat", "-z", "--find-renames", from, to, "--"]));
}

/** Of the files at `paths` alone; none named: of all. */
export const diffText = (dir: string, from: string, to: string, paths: readonly string[] = []): Promise<string> =>
  git(dir, ["--literal-pathspecs", "diff", "--patch", "--find-renames", from, to, "--", ...paths]);

export const patchText = (dir: string, from: string, to: string): Promise<string> =>
  git(dir, ["format-patch", "--stdout", `${from}..${to}`, "--"]);

/** Undefined: the two have no history in common. */
export async function mergeBase(dir: string, a: string, b: string): Promise<string | undefined> {
  const result = await tryGit(dir, ["merge-base", a, b]);
  return result.code === 0 ? result.stdout.trim() : undefined;
}

/** Whether a merge of the two commits would have no conflict. */
export async function mergesCleanly(dir: string, base: string, head: string): Promise<boolean> {
  const result = await tryGit(dir, ["merge-tree", "--write-tree", "--no-messages", base, head]);
  if (result.code > 1 && !/unrelated histories/.test(result.stderr)) {
    throw new Error(`git merge-tree in ${dir} ended with ${result.code}: ${result.stderr.trim()}`);
  }
  return result.code === 0;
}

/** A file's bytes at a commit; undefined when there is none. */
export async function fileAt(dir: string, sha: string, path: string): Promise<Uint8Array | undefined> {
  const kind = await tryGit(dir, ["cat-file", "-t", `${sha}:${path}`]);
  if (kind.stdout.trim() !== "blob") return undefined;
  const child = Bun.spawn(["git", "cat-file", "blob", `${sha}:${path}`], {
    cwd: dir,
    env: gitEnvironment,
    stdout: "pipe",
  });
  return child.stdout.bytes();
}
