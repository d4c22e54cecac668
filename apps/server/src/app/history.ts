import { outputText, succeeded } from "../domain/process.ts";
import type { RunDeps } from "../runs/ports.ts";
import type { Mirrors } from "../workdir/mirror.ts";

const most = { commits: 100, diffBytes: 256 * 1024 } as const;

/** Reads what a branch adds to its base in the service's mirror, where no agent writes and no setting of a repository counts. */
export function historyIn(mirrors: Mirrors): RunDeps["history"] {
  return async ({ run, thread }, base) => {
    const mirror = mirrors.mirror(thread.forge, thread.repositoryId);
    const head = await mirror.head(run.branch);
    if (head === null) return { log: "", diff: "" };
    const read = async (args: readonly string[]): Promise<string> => {
      const result = await mirror.git(args, { timeoutMs: 30_000, maxOutputBytes: most.diffBytes });
      // What is longer than that is of use to nobody in a prompt.
      if (result.end === "too-much-output") return "";
      if (!succeeded(result)) throw new Error(`git ${args[0]} in the mirror: ${result.stderr.slice(-300)}`);
      return outputText(result);
    };
    const count = `--max-count=${most.commits}`;
    const log = await read(["log", "--no-color", count, "--format=%h %an, %as: %s", `${base.sha}..${head}`]);
    const diff = await read(["diff", "--no-color", "--no-ext-diff", "--no-textconv", `${base.sha}...${head}`]);
    return { log, diff };
  };
}
