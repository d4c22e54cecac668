import { describeEnd, outputText, succeeded } from "../domain/process.ts";
import type { RunFailure } from "../domain/run.ts";
import type { JailedRunner } from "./ports.ts";

export type SetupResult =
  | { kind: "done"; output: string }
  | { kind: "failed"; failure: Extract<RunFailure, { kind: "setup-failed" }> };

const tailBytes = 16_384;

/** Runs the repository's set-up command as a shell would, in the checkout and in the jail: without network. */
export async function runSetup(
  jail: Pick<JailedRunner, "run">,
  command: string,
  bounds: { timeoutMs: number; signal?: AbortSignal },
): Promise<SetupResult> {
  // Through a pipe, since programs cannot open /dev/stdout where it is a socket, as the service's own pipes are.
  const piped = ["/bin/bash", "-o", "pipefail", "-c", 'bash -c "$1" 2>&1 </dev/null | cat', "setup", command];
  const result = await jail.run(piped, { ...bounds, maxOutputBytes: tailBytes, keepTail: true });
  const output = outputText(result);
  if (succeeded(result)) return { kind: "done", output };
  const why = result.end === "timed-out" ? `it took longer than ${bounds.timeoutMs / 1_000} s` : describeEnd(result);
  const detail = `The set-up command failed (${why}): ${command}\n${output.trim().slice(-2_000)}`;
  return { kind: "failed", failure: { kind: "setup-failed", retryable: false, detail } };
}
