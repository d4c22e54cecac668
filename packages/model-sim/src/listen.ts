import { once } from "node:events";
import { lstat, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { errorReply, type Reply } from "./reply.ts";

export interface Call {
  method: string;
  path: string;
  headers: Headers;
  body: string;
  /** Resolves when the client has left or the server closes; nobody reads a reply after that. */
  gone: Promise<void>;
}

export type Handler = (call: Call) => Promise<Reply>;

export interface Listening {
  port: number | undefined;
  stop(): Promise<void>;
}

/** Long enough for a client to read what came before the cut, which a reset would throw away. */
const CUT_PAUSE_MS = 25;

/**
 * Listens on 127.0.0.1 and, or, a unix socket; takes over a socket file that nobody listens on any more. On node:http,
 * because Bun.serve ends a silent unix connection after 10 s, and prints a stack for a body that breaks on purpose.
 */
export async function listen(handle: Handler, at: { port?: number; socket?: string }): Promise<Listening> {
  const closing = Promise.withResolvers<void>();
  const servers: Server[] = [];
  const open = async (place: { port: number; host: string } | { path: string }) => {
    const server = createServer((request, response) => void serve(handle, request, response, closing.promise));
    server.listen(place);
    await once(server, "listening");
    servers.push(server);
    return server;
  };
  if (at.socket !== undefined) {
    await clearStaleSocket(at.socket);
    await open({ path: at.socket });
  }
  const port = at.port ?? (at.socket === undefined ? 0 : undefined);
  const tcp = port === undefined ? undefined : await open({ port, host: "127.0.0.1" });
  const address = tcp?.address();
  return {
    port: address !== null && typeof address === "object" ? address.port : undefined,
    async stop() {
      closing.resolve();
      await Promise.all(servers.map(stopServer));
      if (at.socket !== undefined) await rm(at.socket, { force: true });
    },
  };
}

async function serve(
  handle: Handler,
  request: IncomingMessage,
  response: ServerResponse,
  closing: Promise<void>,
): Promise<void> {
  const left = new Promise<void>((resolve) => response.once("close", () => resolve()));
  const answer = async () =>
    handle({
      method: request.method ?? "GET",
      path: new URL(request.url ?? "/", "http://localhost").pathname,
      headers: headersOf(request),
      body: await readText(request),
      gone: Promise.race([left, closing]),
    });
  const { status, headers, body, cut } = await answer().catch((error: unknown) =>
    errorReply(500, `model-sim itself failed: ${error instanceof Error ? error.stack : String(error)}`),
  );
  response.writeHead(status, headers);
  if (!cut) {
    response.end(body);
    return;
  }
  response.write(body, () => setTimeout(() => response.destroy(), CUT_PAUSE_MS));
}

async function readText(request: IncomingMessage): Promise<string> {
  request.setEncoding("utf8");
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

function headersOf(request: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, String(value));
  }
  return headers;
}

function stopServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function clearStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) return;
  if (!found.isSocket()) throw new Error(`${path}: is there and is no socket; name another path`);
  if (await answers(path)) throw new Error(`${path}: another process listens there; stop it or name another path`);
  await rm(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect(path);
    client.once("connect", () => {
      client.destroy();
      resolve(true);
    });
    client.once("error", () => resolve(false));
  });
}
