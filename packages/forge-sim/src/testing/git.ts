import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Forge } from "../index.ts";

/** A clone by the real git, over HTTP, with a token as the password. */
export class Clone implements AsyncDisposable {
  readonly dir: string;

  private constructor(dir: string) {
    this.dir = dir;
  }

  static async of(forge: Forge, token: string, full = "acme/widgets"): Promise<Clone> {
    const dir = await mkdtemp(join(tmpdir(), "forge-sim-clone-"));
    const clone = new Clone(dir);
    const result = await clone.git("clone", "--quiet", cloneUrl(forge, token, full), ".");
    if (result.code !== 0) throw new Error(result.stderr);
    return clone;
  }

  async git(...args: string[]) {
    const child = Bun.spawn(["git", ...args], {
      cwd: this.dir,
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: this.dir,
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_TERMINAL_PROMPT: "0",
        GIT_AUTHOR_NAME: "bot",
        GIT_AUTHOR_EMAIL: "bot@example.com",
        GIT_COMMITTER_NAME: "bot",
        GIT_COMMITTER_EMAIL: "bot@example.com",
      },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { code, stdout: stdout.trim(), stderr };
  }

  async commit(files: Record<string, string | Uint8Array>, message = "change"): Promise<string> {
    for (const [path, content] of Object.entries(files)) await Bun.write(join(this.dir, path), content);
    await this.git("add", "--all");
    await this.git("commit", "--quiet", "--message", message);
    return (await this.git("rev-parse", "HEAD")).stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }
}

export const cloneUrl = (forge: Forge, token: string, full = "acme/widgets"): string =>
  `${forge.url.replace("://", `://anyone:${token}@`)}/${full}.git`;
