import { spawn } from "node:child_process";
import type { Terminal } from "./commands/takeover.ts";

/** The terminal that the command line runs in. */
export const ownTerminal: Terminal = {
  kind: process.env["TERM"] ?? "xterm-256color",
  run([file = "", ...args]) {
    // The session's own program hears Ctrl-C; ours must outlive it to say what comes next.
    const ignore = (): void => {};
    process.on("SIGINT", ignore);
    return new Promise<number>((resolve, reject) => {
      const child = spawn(file, args, { stdio: "inherit" });
      child.once("error", reject);
      child.once("exit", (code) => resolve(code ?? 1));
    }).finally(() => process.off("SIGINT", ignore));
  },
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};
