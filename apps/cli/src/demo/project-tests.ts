import { lstatSync } from "node:fs";

export interface TestRun {
  passed: boolean;
  /** For people: the figures, or what went wrong. */
  detail: string;
}

const limitMs = 60_000;

/**
 * Clones a branch from the forge into `folder` and runs the project's own tests on it. An agent wrote them, so they run
 * without network and see nothing of this machine but /usr, Bun and the clone.
 */
export async function testHead(cloneUrl: string, branch: string, sha: string, folder: string): Promise<TestRun> {
  const clone = await run(["git", "clone", "--quiet", "--depth", "1", "--branch", branch, cloneUrl, folder]);
  if (clone.code !== 0) return { passed: false, detail: `git clone failed: ${clone.output.trim()}` };
  const head = await run(["git", "-C", folder, "rev-parse", "HEAD"]);
  if (head.output.trim() !== sha)
    return { passed: false, detail: `the branch is at ${head.output.trim()}, the pull request at ${sha}` };
  const { code, output } = await run(jailed(folder));
  const figures = [...output.matchAll(/^\s*(\d+) (pass|fail)$/gm)].map(([, count, word]) => `${count} ${word}`);
  const detail = figures.length > 0 ? figures.join(", ") : output.trim().slice(-400);
  return { passed: code === 0 && figures.length > 0, detail };
}

function jailed(folder: string): string[] {
  const roots = ["bin", "lib", "lib64"].flatMap((name) => {
    const found = lstatSync(`/${name}`, { throwIfNoEntry: false });
    if (found === undefined) return [];
    return found.isSymbolicLink() ? ["--symlink", `usr/${name}`, `/${name}`] : ["--ro-bind", `/${name}`, `/${name}`];
  });
  const parts: string[][] = [
    ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"],
    ["--ro-bind", "/usr", "/usr", ...roots, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"],
    ["--ro-bind", process.execPath, "/bun", "--ro-bind", folder, "/project", "--chdir", "/project"],
    ["--setenv", "HOME", "/tmp", "--", "/bun", "test"],
  ];
  return parts.flat();
}

async function run(command: string[]): Promise<{ code: number; output: string }> {
  const child = Bun.spawn(command, {
    env: {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_TERMINAL_PROMPT: "0",
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: limitMs,
    killSignal: "SIGKILL",
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, output: out + err };
}
