import { type FileChange, parseChanges } from "./diff.ts";
import { git, tryGit } from "./run.ts";

export interface Signature {
  name: string;
  email: string;
  /** RFC 3339. */
  date: string;
}

export interface CommitInfo {
  sha: string;
  parents: string[];
  tree: string;
  author: Signature;
  committer: Signature;
  message: string;
  files: FileChange[];
}

const format = ["%H", "%P", "%T", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%B"].join("%x1f");
const diffFlags = ["--raw", "--numstat", "-z", "--no-renames", "--diff-merges=first-parent", "--root"];

/** Newest first, with the files that each changed. `range` is what `git log` takes: `sha`, `a..b`. */
export async function readCommits(dir: string, range: string, flags: readonly string[] = []): Promise<CommitInfo[]> {
  const text = await git(dir, ["log", `--format=%x1e${format}%x1d`, ...diffFlags, ...flags, range, "--"]);
  return text.split("\x1e").slice(1).map(parseCommit);
}

export async function readCommit(dir: string, sha: string): Promise<CommitInfo> {
  const [commit] = await readCommits(dir, sha, ["--max-count=1"]);
  if (!commit) throw new Error(`no commit ${sha} in ${dir}`);
  return commit;
}

export async function countCommits(dir: string, range: string): Promise<number> {
  return Number((await git(dir, ["rev-list", "--count", range, "--"])).trim());
}

/** The commit that wrote a line of a file; undefined when there is no such file or line. */
export async function blame(dir: string, sha: string, path: string, line: number): Promise<string | undefined> {
  const result = await tryGit(dir, ["blame", "--porcelain", "-L", `${line},${line}`, sha, "--", path]);
  if (result.code === 0) return result.stdout.slice(0, sha.length);
  if (/no such path|has only \d+ lines?/.test(result.stderr)) return undefined;
  throw new Error(`git blame of ${path} in ${dir} ended with ${result.code}: ${result.stderr.trim()}`);
}

/** The commit that a branch, tag or full or short SHA stands for. */
export async function resolveCommit(dir: string, name: string): Promise<string | undefined> {
  if (name.startsWith("-")) return undefined;
  for (const candidate of [`refs/heads/${name}`, `refs/tags/${name}`, name]) {
    const result = await tryGit(dir, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${candidate}^{commit}`]);
    if (result.code === 0) return result.stdout.trim();
  }
  return undefined;
}

function parseCommit(text: string): CommitInfo {
  const end = text.indexOf("\x1d");
  const [sha = "", parents = "", tree = "", an = "", ae = "", ad = "", cn = "", ce = "", cd = "", ...body] = text
    .slice(0, end)
    .split("\x1f");
  return {
    sha,
    parents: parents.split(" ").filter((parent) => parent !== ""),
    tree,
    author: { name: an, email: ae, date: utc(ad) },
    committer: { name: cn, email: ce, date: utc(cd) },
    message: body.join("\x1f"),
    files: parseChanges(text.slice(end + 1)),
  };
}

const utc = (date: string): string => new Date(date).toISOString().replace(".000Z", "Z");
