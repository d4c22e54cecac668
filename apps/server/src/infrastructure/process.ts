import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import type { EventEmitter } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { CommandBounds, CommandEnd, CommandResult } from "../domain/process.ts";

export interface StartOptions {
  cwd: string;
  /** The whole environment: nothing of the service's own is added. */
  env: Readonly<Record<string, string>>;
  /** In a process group of its own, so that {@link wholeGroup} can end its children too. */
  group?: boolean;
}

/** Starts a command with pipes and no shell; a command that cannot be started tells so by the child's `error` event. */
export function startProcess(command: readonly string[], options: StartOptions): ChildProcessWithoutNullStreams {
  const [file, ...args] = command;
  if (file === undefined) throw new Error("startProcess: the command is empty");
  return spawn(file, args, { cwd: options.cwd, env: options.env, stdio: "pipe", detached: options.group === true });
}

/** The part of a child process that {@link captureProcess} uses. */
export interface CapturedChild extends Pick<EventEmitter, "once"> {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  kill(signal: "SIGKILL"): unknown;
}

/** A child started with `group`, whose `kill` reaches all that it started and that stayed in its group. */
export function wholeGroup(child: ChildProcessWithoutNullStreams): CapturedChild {
  const kill = () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      child.kill("SIGKILL");
    }
  };
  return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, once: child.once.bind(child), kill };
}

const stderrTailBytes = 65_536;
/** A grandchild can hold the pipes open after the child's exit; what it still writes is not waited for longer. */
const drainMs = 2_000;

/** Waits for a child's end within bounds, and gathers what it wrote; it rejects only where the child could not be started. */
export function captureProcess(child: CapturedChild, bounds: CommandBounds): Promise<CommandResult> {
  const out = new Gathered(bounds.maxOutputBytes, bounds.keepTail === true);
  const err = new Gathered(stderrTailBytes, true);
  let end: CommandEnd = "exited";
  const stop = (why: CommandEnd) => {
    if (end !== "exited") return;
    end = why;
    child.kill("SIGKILL");
  };
  return new Promise((resolve, reject) => {
    let drain: NodeJS.Timeout | undefined;
    const timer = setTimeout(() => stop("timed-out"), bounds.timeoutMs);
    const aborted = () => stop("aborted");
    const cleanUp = () => {
      clearTimeout(timer);
      clearTimeout(drain);
      bounds.signal?.removeEventListener("abort", aborted);
    };
    const finish = (exitCode: number | null, signal: string | null) => {
      cleanUp();
      resolve({ end, exitCode, signal, stdout: out.bytes(), stderr: new TextDecoder().decode(err.bytes()) });
    };
    child.once("error", (error: Error) => {
      cleanUp();
      reject(error);
    });
    child.once("exit", (exitCode: number | null, signal: string | null) => {
      drain = setTimeout(() => finish(exitCode, signal), drainMs);
    });
    child.once("close", finish);
    child.stdout.on("data", (chunk: Uint8Array) => {
      if (!out.add(chunk)) stop("too-much-output");
    });
    child.stderr.on("data", (chunk: Uint8Array) => err.add(chunk));
    // A command that ends without reading its input is judged by its exit code.
    child.stdin.on("error", () => undefined);
    child.stdin.end(bounds.input ?? new Uint8Array());
    bounds.signal?.addEventListener("abort", aborted, { once: true });
    if (bounds.signal?.aborted === true) aborted();
  });
}

/** Chunks up to a limit: beyond it either the oldest bytes go, or `add` answers false. */
class Gathered {
  readonly #maxBytes: number;
  readonly #keepTail: boolean;
  #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(maxBytes: number, keepTail: boolean) {
    this.#maxBytes = maxBytes;
    this.#keepTail = keepTail;
  }

  add(chunk: Uint8Array): boolean {
    if (!this.#keepTail && this.#size + chunk.length > this.#maxBytes) return false;
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size > 2 * this.#maxBytes) this.#trim();
    return true;
  }

  bytes(): Uint8Array {
    if (this.#size > this.#maxBytes) this.#trim();
    return new Uint8Array(Buffer.concat(this.#chunks));
  }

  #trim(): void {
    const tail = new Uint8Array(Buffer.concat(this.#chunks).subarray(-this.#maxBytes));
    this.#chunks = [tail];
    this.#size = tail.length;
  }
}
