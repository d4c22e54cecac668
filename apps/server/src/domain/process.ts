/** How a bounded command ended; only `exited` carries an exit code that means anything. */
export type CommandEnd = "exited" | "timed-out" | "too-much-output" | "aborted";

export interface CommandResult {
  end: CommandEnd;
  /** Null where a signal ended it. */
  exitCode: number | null;
  signal: string | null;
  /** Whole, or with `keepTail` its last `maxOutputBytes`. */
  stdout: Uint8Array;
  /** Its last 64 KiB at most, as UTF-8. */
  stderr: string;
}

export interface CommandBounds {
  timeoutMs: number;
  /** Of standard output. More ends the command, unless `keepTail` is set. */
  maxOutputBytes: number;
  keepTail?: boolean;
  input?: Uint8Array;
  signal?: AbortSignal;
}

export const succeeded = (result: CommandResult): boolean => result.end === "exited" && result.exitCode === 0;

export const outputText = (result: CommandResult): string => new TextDecoder().decode(result.stdout);

/** How it ended, without what it said. */
export function describeEnd({ end, exitCode, signal }: CommandResult): string {
  const ends: Record<CommandEnd, string> = {
    exited: signal === null ? `exit code ${exitCode}` : `ended by ${signal}`,
    "timed-out": "it took too long",
    "too-much-output": "it wrote too much",
    aborted: "it was stopped",
  };
  return ends[end];
}

/** How it ended, and the last of what it said. */
export function describeFailure(result: CommandResult, maxChars = 2_000): string {
  const said = (result.stderr.trim() || outputText(result).trim()).slice(-maxChars);
  return said === "" ? describeEnd(result) : `${describeEnd(result)}: ${said}`;
}
