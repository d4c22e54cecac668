import type { Readable, Writable } from "node:stream";
import { linesOf } from "./lines.ts";
import { type Command, type Refusal, Report, type RequestReport, type Setup } from "./protocol.ts";

export interface BrokerProcess {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  once(event: "exit", listener: (code: number | null, signal: string | null) => void): unknown;
  once(event: "error", listener: (error: Error) => void): unknown;
  kill(signal: "SIGKILL"): unknown;
}

export interface LinkDeps extends Setup {
  /** Starts it with exactly this environment, and pipes for all three streams. */
  start(command: readonly string[], options: { cwd: string; env: Readonly<Record<string, string>> }): BrokerProcess;
  /** What runs `broker/main.ts`. */
  command: readonly string[];
}

export interface LinkHandlers {
  request(report: RequestReport): void;
  refused(refusal: Refusal): void;
  opened(run: string): void;
  failed(run: string, error: string): void;
}

/** One life of the broker's process. */
export interface Link {
  ready: Promise<void>;
  /** Why it ended. Never rejects. */
  ended: Promise<string>;
  send(command: Command): void;
  /** Resolves when the socket is gone, at the latest with the process. */
  close(run: string): Promise<void>;
  /** Closes its input, which ends it. */
  finish(): void;
  kill(): void;
}

const maxLineBytes = 1024 * 1024;

/** The credential goes down the pipe: arguments and environment can be read by others of the same user. */
export function createLink(deps: LinkDeps, handlers: LinkHandlers): Link {
  const { upstream, credential } = deps;
  const child = deps.start(deps.command, { cwd: "/", env: {} });
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<string>();
  const closing = new Map<string, PromiseWithResolvers<void>>();
  let fatal: string | null = null;
  let stderr = "";

  const end = (how: string) => {
    const why = fatal ?? [how, stderr.trim()].filter(Boolean).join(": ");
    ended.resolve(why);
    ready.reject(new Error(`The broker did not start: ${why}`));
    for (const { resolve } of closing.values()) resolve();
  };
  const hear = (report: Report) => {
    if ("ready" in report) return ready.resolve();
    if ("request" in report) return handlers.request(report.request);
    if ("refused" in report) return handlers.refused(report.refused);
    if ("opened" in report) return handlers.opened(report.opened.run);
    if ("failed" in report) return handlers.failed(report.failed.run, report.failed.error);
    if ("closed" in report) return closing.get(report.closed.run)?.resolve();
    fatal = report.fatal;
  };

  child.once("exit", (code, signal) => end(`it ended with ${signal ?? `code ${code}`}`));
  child.once("error", (error) => end(error.message));
  // A broken pipe is the process's end, which is told above.
  child.stdin.on("error", () => {});
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString("utf8")).slice(-2_000);
  });
  readReports(child.stdout, hear).catch((error: unknown) => {
    fatal ??= `it said what is no report (${String(error)})`;
    child.kill("SIGKILL");
  });
  const write = (line: unknown) => void child.stdin.write(`${JSON.stringify(line)}\n`);
  write({ upstream, credential } satisfies Setup);
  ready.promise.catch(() => {});
  return {
    ready: ready.promise,
    ended: ended.promise,
    send: write,
    async close(run) {
      const closed = Promise.withResolvers<void>();
      closing.set(run, closed);
      write({ close: { run } } satisfies Command);
      await Promise.race([closed.promise, ended.promise]);
      closing.delete(run);
    },
    finish: () => void child.stdin.end(),
    kill: () => void child.kill("SIGKILL"),
  };
}

async function readReports(stdout: Readable, hear: (report: Report) => void): Promise<void> {
  for await (const line of linesOf(stdout, maxLineBytes)) hear(Report.parse(JSON.parse(line)));
}
