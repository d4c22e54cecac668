import { chmodSync, rmSync } from "node:fs";
import type { Hono } from "hono";

export interface Listening {
  host: string;
  port: number;
  stop(): Promise<void>;
}

/** Linux's sockaddr_un, less the closing zero (unix(7)). */
const maxSocketPathBytes = 107;

/** @throws an error that says which address is taken, and what to do. */
export function listenTcp(app: Hono, { host, port }: { host: string; port: number }): Listening {
  try {
    // Bodies are bounded by the webhook's own limits; idle connections end after Bun's own time.
    const server = Bun.serve({ hostname: host, port, fetch: app.fetch, maxRequestBodySize: 8 * 1024 ** 2 });
    return { host, port: server.port ?? port, stop: () => server.stop(true) };
  } catch (error) {
    throw new ListenError(
      `cannot listen on ${host}:${port}: ${error instanceof Error ? error.message : String(error)}; is the service running already? Else change listen in the configuration`,
      { cause: error },
    );
  }
}

/** Whoever may write to the socket may read everything: mode 0600, the service's own user alone. */
export function listenSocket(app: Hono, path: string): { stop(): Promise<void> } {
  if (Buffer.byteLength(path) > maxSocketPathBytes)
    throw new ListenError(`${path}: a socket's path may have ${maxSocketPathBytes} bytes; choose a shorter state_dir`);
  // Safe: the state folder's lock is ours by now, so this is a socket that a dead service left.
  rmSync(path, { force: true });
  const before = process.umask(0o177);
  try {
    // Not in the types for sockets, but without it Bun ends silent connections after 10 s, such as a run that is followed.
    const options = { unix: path, fetch: app.fetch, idleTimeout: 0 };
    const server = Bun.serve(options as { unix: string; fetch: typeof app.fetch });
    chmodSync(path, 0o600);
    return {
      async stop() {
        await server.stop(true);
        rmSync(path, { force: true });
      },
    };
  } finally {
    process.umask(before);
  }
}

class ListenError extends Error {
  override readonly name = "ListenError";
}
