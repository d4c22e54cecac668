import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { CommandBounds, CommandResult } from "../domain/process.ts";

/** How the jail reaches the machine; handed in, so that only infrastructure starts processes. */
export interface JailPorts {
  /** Must start from the service's main thread: the jail ends when the thread that started it does (PR_SET_PDEATHSIG). */
  start(
    command: readonly string[],
    options: { cwd: string; env: Readonly<Record<string, string>> },
  ): ChildProcessWithoutNullStreams;
  capture(child: CapturedJail, bounds: CommandBounds): Promise<CommandResult>;
}

export type CapturedJail = Pick<ChildProcessWithoutNullStreams, "stdin" | "stdout" | "stderr" | "once"> & {
  kill(signal: NodeJS.Signals): boolean;
};
