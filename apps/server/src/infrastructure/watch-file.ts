import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";
import type { Timers } from "../domain/timers.ts";

/** Editors write a file in several steps, or put a new one in its place. */
const settleMs = 200;

/**
 * Calls back a moment after the file was written, replaced or removed; where it is a link into a folder that is swapped
 * as a whole, after that too. Never throws: a folder that cannot be watched (its user may read the file, but not list the
 * folder, or has no watches left) is told to `failed`. Gives back how to stop.
 */
export function watchFile(
  path: string,
  timers: Timers,
  changed: () => void,
  failed: (error: unknown) => void,
): () => void {
  let cancel = (): void => {};
  let watcher: FSWatcher | null = null;
  const name = basename(path);
  try {
    watcher = watch(dirname(path), { persistent: false }, (_, file) => {
      if (file !== null && file !== name && !file.startsWith("..")) return;
      cancel();
      cancel = timers.after(settleMs, changed);
    });
    watcher.on("error", failed);
  } catch (error) {
    failed(error);
  }
  return () => {
    cancel();
    watcher?.close();
  };
}
