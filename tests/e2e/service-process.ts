import { join, resolve } from "node:path";
import { type ExplainedEvent, Explanation, RunDetail, RunList, type RunSummary, Status } from "@claude-hooks/api";
import { Client, ClientError } from "../../apps/cli/src/client.ts";
import { until } from "./until.ts";

const main = resolve(import.meta.dirname, "../../apps/server/src/main.ts");

interface StartOptions {
  configFile: string;
  stateDir: string;
  url: string;
  uid: number | null;
  /** What runs the service; the configuration's path follows it. */
  program?: readonly string[] | undefined;
  env?: Readonly<Record<string, string>> | undefined;
}

/** The service in a process of its own, so that a test can kill it like bad luck does. */
export class ServiceProcess implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #client: Client;
  readonly #socket: string;
  #log = "";

  private constructor({ configFile, stateDir, uid, program = [process.execPath, main], env }: StartOptions) {
    const command = [...program, configFile];
    const user = uid === null ? [] : ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--"];
    this.#child = Bun.spawn([...user, ...command], {
      cwd: "/",
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: "/nonexistent", ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#socket = join(stateDir, "api.sock");
    this.#client = new Client(this.#socket);
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

  status(): Promise<Status> {
    return this.#client.get("/status", Status);
  }

  /** As Prometheus reads them. */
  async metrics(): Promise<string> {
    const response = await fetch("http://claude-hooks/metrics", { unix: this.#socket });
    return await response.text();
  }

  /** Oldest first, when there are at least so many finished runs and all that they write to the forge is written. */
  finished(count: number): Promise<RunDetail[]> {
    return this.#until(`${count} finished runs`, async () => {
      const finished = (await this.runs()).filter((run) => run.finished_at !== null);
      const runs = await Promise.all(finished.map((run) => this.run(run.id)));
      const written = runs.flatMap((run) => run.effects).every(({ state }) => ended.has(state));
      return runs.length >= count && written ? runs : null;
    });
  }

  /** When nothing runs and nothing waits to run: all runs, oldest first. What has not come in yet is not waited for. */
  async idle(): Promise<RunDetail[]> {
    await this.#until("the service to be idle", async () => {
      const { running, queued } = await this.status();
      return running === 0 && queued === 0 ? true : null;
    });
    return await this.finished(0);
  }

  /** The first event of the subject for which it holds, when all flows were tried on it. */
  decided(subject: string, which: (event: ExplainedEvent) => boolean): Promise<ExplainedEvent> {
    return this.#until(`an event of ${subject} to be decided`, async () => {
      const explanation = await this.explain(subject).catch(nothingYet);
      return explanation?.events.find((event) => event.decided && which(event)) ?? null;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) await this.kill();
  }

  #until<T>(what: string, ask: () => Promise<T | null>): Promise<T> {
    return until(what, ask, () => this.#log.slice(-4_000));
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) this.#log += decoder.decode(chunk, { stream: true });
  }
}

const ended: ReadonlySet<string> = new Set(["done", "superseded", "parked"]);

/** The service says so where it has never heard of a subject. */
function nothingYet(error: unknown): null {
  if (error instanceof ClientError) return null;
  throw error;
}
