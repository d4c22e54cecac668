import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";

/** A jail that runs: what the Agent SDK calls a spawned process. Its `exit` comes when nothing of the jail is left. */
export class JailedProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly on: ChildProcessWithoutNullStreams["on"];
  readonly once: ChildProcessWithoutNullStreams["once"];
  readonly off: ChildProcessWithoutNullStreams["off"];
  readonly #child: ChildProcessWithoutNullStreams;
  #killed = false;

  constructor(child: ChildProcessWithoutNullStreams, signal?: AbortSignal) {
    this.#child = child;
    this.stdin = child.stdin;
    this.stdout = child.stdout;
    this.stderr = child.stderr;
    this.on = child.on.bind<typeof child.on>(child);
    this.once = child.once.bind<typeof child.once>(child);
    this.off = child.off.bind<typeof child.off>(child);
    const abort = () => void this.kill("SIGKILL");
    signal?.addEventListener("abort", abort, { once: true });
    child.once("exit", () => signal?.removeEventListener("abort", abort));
    if (signal?.aborted === true) abort();
  }

  /** Of bwrap, outside the jail. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get killed(): boolean {
    return this.#killed;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  get signalCode(): NodeJS.Signals | null {
    return this.#child.signalCode;
  }

  /**
   * Signals the jail's init, which passes SIGTERM on to the command and takes every process of the jail with it when it
   * ends; bwrap, and so `exit`, waits for it. A jail that is not up yet is killed whatever the signal.
   */
  kill(signal: NodeJS.Signals = "SIGTERM"): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return false;
    this.#killed = true;
    const init = initOf(pid);
    if (init === undefined) return killBeforeItIsUp(pid);
    try {
      return process.kill(init, signal);
    } catch {
      return killBeforeItIsUp(pid);
    }
  }
}

/** The jail's pid 1 as seen from outside, once it listens to signals. */
function initOf(bwrapPid: number): number | undefined {
  try {
    const [first] = readFileSync(`/proc/${bwrapPid}/task/${bwrapPid}/children`, "utf8").trim().split(" ");
    const init = Number(first);
    if (!Number.isInteger(init) || init <= 1) return undefined;
    return readFileSync(`/proc/${init}/comm`, "utf8").trim() === "tini" ? init : undefined;
  } catch {
    return undefined;
  }
}

/** Some tens of milliseconds: far longer than a process takes to stop. One that is in the kernel's hands for longer is killed all the same. */
const maxLooks = 5_000;

/**
 * bwrap's inner process waits for its outer one before it asks to die with it: an outer one that is killed in between leaves it
 * behind for ever. So the outer one is held still first, and goes last.
 */
function killBeforeItIsUp(pid: number): boolean {
  try {
    process.kill(pid, "SIGSTOP");
    for (let looks = 0; looks < maxLooks && !hasStopped(pid); looks++);
    for (const child of descendants(pid)) process.kill(child, "SIGKILL");
  } catch {
    // Gone meanwhile, which is what is wanted.
  }
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}

function hasStopped(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name in parentheses may hold anything.
  return /^[TtZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
}

function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  if (children === "") return [];
  return children
    .split(" ")
    .map(Number)
    .flatMap((child) => [child, ...descendants(child)]);
}
