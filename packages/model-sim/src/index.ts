import { type Faults, openFaults } from "./faults.ts";
import { openGates } from "./gates.ts";
import { listen } from "./listen.ts";
import { type ModelRequest, openLog } from "./log.ts";
import { routes } from "./routes.ts";
import { parseScript, type Script } from "./script.ts";

export type { Faults, NextFault } from "./faults.ts";
export type { ModelRequest } from "./log.ts";
export type { Fault, Pattern, ScriptedAgent, Step, ToolCall, Turn } from "./script.ts";
export { parseScript, Script } from "./script.ts";
export type { Usage } from "./wire.ts";

export interface ModelOptions {
  /** Checked again here, so that a script read from a file needs no cast. */
  script: Script;
  /** TCP port on 127.0.0.1, 0 for a free one (default, unless `socket` is given alone). */
  port?: number;
  /** Path of a unix socket to listen on. */
  socket?: string;
  /** When given, requests that carry it neither as x-api-key nor as bearer token get the API's 401. */
  apiKey?: string;
  /** How many of the latest requests keep their body (default 200); the agent's bodies are 50 KB and more. */
  keepBodies?: number;
  /** Called with each request as it comes, before it is answered. */
  onRequest?: (request: ModelRequest) => void;
  /** Milliseconds since the epoch, for the recorded times. */
  now?: () => number;
}

/** A running scripted model. Closing it ends every answer that still waits. */
export interface Model extends AsyncDisposable {
  /** For `ANTHROPIC_BASE_URL`; over a unix socket alone only its scheme counts, and it is http. */
  readonly url: string;
  readonly port: number | undefined;
  readonly socket: string | undefined;
  readonly faults: Faults;
  requests(): readonly ModelRequest[];
  /** The requests that got a 400 because no script expects them. */
  unexpected(): readonly ModelRequest[];
  /**
   * The first request for which `predicate` holds: now, when it comes, or when it is settled (`outcome`). Rejects when
   * the model closes first.
   */
  waitForRequest(predicate: (request: ModelRequest) => boolean): Promise<ModelRequest>;
  /** The request that waits at the gate now, or the next that comes to it; rejects when the model closes first. */
  waitAtGate(gate: string): Promise<ModelRequest>;
  /** Lets all that wait at the gate pass, and all that come later. */
  open(gate: string): void;
  close(): Promise<void>;
}

/** Starts a Messages API that answers from a script and from nothing else; throws when the script has faults. */
export async function startModel(options: ModelOptions): Promise<Model> {
  const script = parseScript(options.script);
  const log = openLog(options.keepBodies ?? 200, options.onRequest ?? (() => {}));
  const gates = openGates(script);
  const faults = openFaults();
  const handle = routes({
    script,
    log,
    gates,
    faults,
    apiKey: options.apiKey,
    now: options.now ?? Date.now,
  });
  const listening = await listen(handle, options);
  const close = async () => {
    log.close();
    gates.close();
    await listening.stop();
  };
  return {
    url: listening.port === undefined ? "http://localhost" : `http://127.0.0.1:${listening.port}`,
    port: listening.port,
    socket: options.socket,
    faults,
    requests: () => log.all(),
    unexpected: () => log.all().filter((request) => request.kind === "unexpected"),
    waitForRequest: (predicate) => log.wait(predicate),
    waitAtGate: (gate) => gates.arrival(gate),
    open: (gate) => gates.open(gate),
    close,
    [Symbol.asyncDispose]: close,
  };
}
