import { chmod, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

/** Out of the way in one step, and only then removed: a crash leaves nothing half under its own name. */
export async function removeWhole(path: string, away: string): Promise<void> {
  await removeTree(away);
  try {
    await rename(path, away);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  await removeTree(away);
}

/** Also where an agent took away its folders' permissions; links are removed and not followed. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EACCES" && code !== "EPERM") throw error;
    await open(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function open(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await open(join(folder, entry.name));
}
