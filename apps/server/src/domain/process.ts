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

/** What went wrong in one line of a log or a comment: the end, and the last lines of what was said. */
export function describeFailure(result: CommandResult, maxChars = 2_000): string {
  const said = (result.stderr.trim() || outputText(result).trim()).slice(-maxChars);
  const how: Record<CommandEnd, string> = {
    exited: result.signal === null ? `exit code ${result.exitCode}` : `ended by ${result.signal}`,
    "timed-out": "took too long",
    "too-much-output": "wrote too much",
    aborted: "was stopped",
  };
  return said === "" ? how[result.end] : `${how[result.end]}: ${said}`;
}
