import { join, resolve } from "node:path";
import { Client } from "../client.ts";
import { DemoFailure } from "./failure.ts";
import { ServiceLog } from "./service-log.ts";
import type { Watch } from "./watch.ts";
import type { World } from "./world.ts";

const main = resolve(import.meta.dirname, "../../../server/src/main.ts");

/** Longer than the demo's own `shutdown_grace_ms`, so that it is the service that ends its runs. */
const stopWithinMs = 15_000;

/** The service as it runs in earnest: a process of its own, with a configuration and nothing else. */
export class Service {
  readonly log = new ServiceLog();
  readonly api: Client;
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #read: Promise<unknown>;
  #stopping = false;

  constructor({ configFile, stateDir }: Pick<World, "configFile" | "stateDir">, live: boolean) {
    const { ANTHROPIC_API_KEY, ...env } = process.env;
    this.#child = Bun.spawn([process.execPath, main, configFile], {
      cwd: "/",
      env: { ...env, ...(live && { ANTHROPIC_API_KEY }) },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      // A group of its own: Ctrl-C on the terminal is the demo's to pass on.
      detached: true,
    });
    this.#read = Promise.all([this.log.read(this.#child.stdout), this.log.read(this.#child.stderr)]);
    this.api = new Client(join(stateDir, "api.sock"));
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Calls back when the process ends although nobody stopped it. */
  onDeath(tell: (failure: DemoFailure) => void): void {
    void this.#ended().then((code) => {
      if (this.#stopping) return;
      const words = this.log.lastWords();
      const said = words.length > 0 ? words : this.log.tail(12);
      tell(new DemoFailure([`the service ended by itself, with exit code ${code}:`, ...said].join("\n")));
    });
  }

  /** Resolves when `onDeath` has told of a process that is ending just now, or soon when there is none. */
  async deathNoticed(): Promise<void> {
    await Promise.race([this.#ended(), Bun.sleep(300)]);
  }

  /** Resolves when the service says that it is up. */
  async up(url: string, watch: Watch): Promise<void> {
    await watch.until(`the service to answer on ${url}/health`, async () => {
      const response = await fetch(`${url}/health`, { signal: watch.signal }).catch(() => undefined);
      return response?.ok === true ? true : undefined;
    });
  }

  /** SIGTERM, and SIGKILL where that does not help; resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child.kill("SIGTERM");
    const late = setTimeout(() => this.#child.kill("SIGKILL"), stopWithinMs);
    await this.#ended();
    clearTimeout(late);
  }

  /** Resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#stopping = true;
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }

  async #ended(): Promise<number> {
    const code = await this.#child.exited;
    // A process that the service left behind could hold its output open; that is not waited for without end.
    await Promise.race([this.#read, Bun.sleep(500)]);
    return code;
  }
}
