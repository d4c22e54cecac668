import { join, resolve } from "node:path";
import { Explanation, RunDetail, RunList, type RunSummary } from "@claude-hooks/api";
import { Client } from "../../apps/cli/src/client.ts";
import { until } from "./until.ts";

const main = resolve(import.meta.dirname, "../../apps/server/src/main.ts");

interface StartOptions {
  configFile: string;
  stateDir: string;
  url: string;
  uid: number | null;
}

/** The service in a process of its own, so that a test can kill it like bad luck does. */
export class ServiceProcess implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #client: Client;
  #log = "";

  private constructor({ configFile, stateDir, uid }: StartOptions) {
    const command = [process.execPath, main, configFile];
    const user = uid === null ? [] : ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--"];
    this.#child = Bun.spawn([...user, ...command], {
      cwd: "/",
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: "/nonexistent" },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#client = new Client(join(stateDir, "api.sock"));
    void this.#read(this.#child.stdout);
    void this.#read(this.#child.stderr);
  }

  /** Rejects with what the service said where it does not come up. */
  static async start(options: StartOptions): Promise<ServiceProcess> {
    const service = new ServiceProcess(options);
    const answered = until("the service to answer", async () => {
      const response = await fetch(`${options.url}/health`).catch(() => null);
      return response?.ok === true ? true : null;
    });
    const died = service.#child.exited.then((code) => {
      throw new Error(`the service ended with exit code ${code}:\n${service.#log}`);
    });
    await Promise.race([answered, died]);
    died.catch(() => {});
    return service;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Everything that it has logged. */
  get log(): string {
    return this.#log;
  }

  /** As bad luck does it. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }

  /** SIGTERM; answers the exit code. */
  async stop(): Promise<number> {
    this.#child.kill("SIGTERM");
    return await this.#child.exited;
  }

  async runs(): Promise<RunSummary[]> {
    return (await this.#client.get("/runs?limit=100", RunList)).runs.toReversed();
  }

  run(id: string): Promise<RunDetail> {
    return this.#client.get(`/runs/${id}`, RunDetail);
  }

  explain(subject: string): Promise<Explanation> {
    return this.#client.get(`/explain?subject=${encodeURIComponent(subject)}`, Explanation);
  }

  /** Oldest first, when there are at least so many finished runs. */
  async finished(count: number): Promise<RunSummary[]> {
    return await until(
      `${count} finished runs`,
      async () => {
        const runs = (await this.runs()).filter((run) => run.finished_at !== null);
        return runs.length >= count ? runs : null;
      },
      () => this.#log.slice(-4_000),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) await this.kill();
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) this.#log += decoder.decode(chunk, { stream: true });
  }
}
