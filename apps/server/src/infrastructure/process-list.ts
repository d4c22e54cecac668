import { readdirSync, readFileSync } from "node:fs";

/** Ids of this machine's processes that have this as one of their arguments, as far as we may look. */
export function processesWithArgument(argument: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => argumentsOf(pid).includes(argument))
    .map(Number);
}

function argumentsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    // It has ended, or is another user's.
    return [];
  }
}
