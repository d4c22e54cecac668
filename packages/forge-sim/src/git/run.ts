/** The environment of every git process: nothing of the person's or the machine's configuration. */
export const gitEnvironment: Record<string, string> = {
  PATH: process.env["PATH"] ?? "/usr/bin:/bin",
  HOME: "/nonexistent",
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
  GIT_CONFIG_COUNT: "1",
  GIT_CONFIG_KEY_0: "safe.directory",
  GIT_CONFIG_VALUE_0: "*",
};

export interface GitResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs git in a bare repository; a non-zero exit is the caller's to judge. */
export async function tryGit(dir: string, args: readonly string[], stdin?: Uint8Array): Promise<GitResult> {
  const child = Bun.spawn(["git", ...args], {
    cwd: dir,
    env: gitEnvironment,
    stdin: stdin ?? "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, stdout, stderr };
}

/** Runs git and throws with its words when it fails. */
export async function git(dir: string, args: readonly string[], stdin?: Uint8Array): Promise<string> {
  const result = await tryGit(dir, args, stdin);
  if (result.code === 0) return result.stdout;
  throw new Error(`git ${args.join(" ")} in ${dir} ended with ${result.code}: ${result.stderr.trim()}`);
}
