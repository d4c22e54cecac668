import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { JailError } from "./settings.ts";

/** The folders above a path, from the root down; the path itself is not among them. */
function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [...ancestors(parent), parent];
}

/** The highest folder above `path` that the lanes, whose group is `gid`, may not enter; undefined where none is closed. */
export async function firstClosedFolder(path: string, gid: number): Promise<string | undefined> {
  for (const folder of ancestors(path)) {
    const found = await stat(folder);
    if ((found.mode & (found.gid === gid ? 0o010 : 0o001)) === 0) return folder;
  }
  return undefined;
}

/** As root, agents run as users of their own: they must get as far as the folder, though not see into its parents. */
export async function requireReachable(folder: string, gid: number, what: string): Promise<void> {
  const closed = await firstClosedFolder(folder, gid);
  if (closed === undefined) return;
  throw new JailError(
    "folder-closed",
    `${what} ${folder} lies in ${closed}, which other users may not enter, and as root every agent runs as a user of its own. ` +
      `Run: chmod o+x ${closed}, or put it elsewhere, as in /var/lib/claude-hooks.`,
  );
}
