import { watch } from "node:fs";
import { basename, dirname } from "node:path";
import type { Timers } from "../domain/timers.ts";

/** Editors write a file in several steps, or put a new one in its place. */
const settleMs = 200;

/**
 * Calls back a moment after the file was written, replaced or removed; where it is a link into a folder that is swapped
 * as a whole, after that too. Gives back how to stop.
 */
export function watchFile(path: string, timers: Timers, changed: () => void): () => void {
  let cancel = (): void => {};
  const name = basename(path);
  const watcher = watch(dirname(path), { persistent: false }, (_, file) => {
    if (file !== null && file !== name && !file.startsWith("..")) return;
    cancel();
    cancel = timers.after(settleMs, changed);
  });
  return () => {
    cancel();
    watcher.close();
  };
}
