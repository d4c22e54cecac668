import { readdirSync, readFileSync } from "node:fs";

/**
 * Kills the jails that an earlier service left in this state folder, and says how many processes that were. A jail dies with its
 * service; but one whose service was killed in the few milliseconds while the jail was being made can stay, waiting for ever.
 * Call it with the state folder's lock held, before the first jail: an orphan that names its lanes is such a one by then.
 */
export function killLeftovers(stateDir: string): number {
  const mark = `${stateDir}/lanes/`;
  const left = processIds().filter((pid) => isOrphan(pid) && isJailOf(pid, mark));
  return left.filter(kill).length;
}

const processIds = (): number[] =>
  readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid));

/** Its parent is gone: what an operator's takeover runs has one, and is nobody's leftover. */
function isOrphan(pid: number): boolean {
  const parent = parentOf(pid);
  return parent === 1 || (parent !== null && nameOf(parent) === "systemd");
}

function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold anything.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return null;
  }
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "";
  }
}

/** By its own argument list: the lane's folders are bound into the jail. */
function isJailOf(pid: number, mark: string): boolean {
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    const isBwrap = args.some((arg) => arg === "bwrap" || arg.endsWith("/bwrap"));
    return isBwrap && args.some((arg, index) => /^--(ro-)?bind$/.test(args[index - 1] ?? "") && arg.startsWith(mark));
  } catch {
    return false;
  }
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}
