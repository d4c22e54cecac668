import { afterEach } from "bun:test";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Broker, startBroker } from "../client.ts";
import type { BrokerProcess } from "../link.ts";
import type { Credential, RequestReport, Upstream } from "../protocol.ts";

export const key = "sk-ant-real-credential-of-the-operator";
export const apiKey: Credential = { kind: "api-key", value: key };
export const command = [process.execPath, join(import.meta.dir, "..", "main.ts")];

export const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "broker-"));
  cleanups.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

interface Seen {
  path: string;
  headers: Headers;
  body: string;
}

/** An upstream that keeps what it was sent. */
export function upstream(answer: (request: Request) => Response | Promise<Response>) {
  const seen: Seen[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      seen.push({ path: pathname + search, headers: request.headers, body: await request.clone().text() });
      return answer(request);
    },
  });
  cleanups.push(() => server.stop(true));
  return { seen, baseUrl: `http://127.0.0.1:${server.port}` };
}

export const sse = (...events: object[]) =>
  events.map((event) => `event: x\ndata: ${JSON.stringify(event)}\n\n`).join("");
export const messageStart = {
  type: "message_start",
  message: {
    model: "claude-test",
    usage: { input_tokens: 12, cache_creation_input_tokens: 3, cache_read_input_tokens: 4, output_tokens: 1 },
  },
};
export const messageDelta = { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 55 } };

/** A wait until something holds that another process brings about. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const alwaysReal = () => command;

export async function brokerFor(
  place: string | Upstream,
  credential = apiKey,
  commandOf: (nth: number) => readonly string[] = alwaysReal,
) {
  const children: BrokerProcess[] = [];
  const logged: unknown[] = [];
  const log = (fields: unknown, message: string) => void logged.push([message, fields]);
  // Restarts come at once; the bounds of a minute and of the last kill do not come at all.
  const after = (ms: number, run: () => void) => {
    const timer = ms === 60_000 || ms === 3_000 ? undefined : setTimeout(run, 0);
    return () => clearTimeout(timer);
  };
  const broker = await startBroker({
    start(_command, options) {
      const argv = commandOf(children.length);
      const child = spawn(argv[0] ?? "", argv.slice(1), { ...options, stdio: "pipe" });
      children.push(child);
      return child;
    },
    command,
    upstream: typeof place === "string" ? { baseUrl: place, socket: null } : place,
    credential,
    timers: { after },
    log: { warn: log, error: log },
  });
  cleanups.push(() => broker[Symbol.asyncDispose]());
  return { broker, children, logged };
}

export async function openRun(broker: Broker, run = "run-1") {
  const socket = join(await folder(), "sockets", "model.sock");
  await broker.open({ run, socket, owner: null });
  return socket;
}

export const post = (socket: string, path = "/v1/messages?beta=true", init: RequestInit = {}) =>
  fetch(`http://broker${path}`, {
    method: "POST",
    body: '{"model":"claude-asked"}',
    unix: socket,
    ...init,
  } as RequestInit);

export const nextReport = (broker: Broker) =>
  new Promise<RequestReport>((resolve) => {
    const stop = broker.onRequest((report) => {
      stop();
      resolve(report);
    });
  });

export const failureOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "it did not fail",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
