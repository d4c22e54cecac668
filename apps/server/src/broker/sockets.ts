import { chmod, chown, lstat, mkdir, rm, rmdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { OpenSocket } from "./protocol.ts";
import { createProxy, type ProxyDeps } from "./proxy.ts";

/** Linux's sockaddr_un, less the closing zero. */
const maxSocketPathBytes = 107;

export interface Sockets {
  /** Opening a run's socket again moves it to the new place. */
  open(socket: OpenSocket): Promise<void>;
  /** Ends the run's requests too. A run without a socket is no fault. */
  close(run: string): Promise<void>;
}

/** The model may think for minutes. Bun 1.4.5 closes a silent unix connection after 10 s too, though its types have no such setting for it. */
const silenceIsFine: object = { idleTimeout: 0 };

/** One unix socket per run, in a folder that only its owner may enter. */
export function createSockets(deps: ProxyDeps): Sockets {
  const live = new Map<string, () => Promise<void>>();
  const close = async (run: string) => {
    const stop = live.get(run);
    live.delete(run);
    await stop?.();
  };
  return {
    close,
    async open({ run, socket, owner }) {
      await close(run);
      if (Buffer.byteLength(socket) > maxSocketPathBytes)
        throw new Error(
          `${socket}: a socket's path may have ${maxSocketPathBytes} bytes: choose a shorter state folder`,
        );
      const folder = dirname(socket);
      const made = await makeFolder(folder);
      await clearStale(socket);
      const server = Bun.serve({
        unix: socket,
        // The proxy has a bound of its own, and says it in the Messages API's shape.
        maxRequestBodySize: Number.MAX_SAFE_INTEGER,
        fetch: createProxy(deps, run),
        ...silenceIsFine,
      });
      live.set(run, async () => {
        await server.stop(true);
        await rm(socket, { force: true });
        if (made) await rmdir(folder).catch(() => {});
      });
      await chmod(socket, 0o600);
      if (owner === null) return;
      await chown(socket, owner.uid, owner.gid);
      if (made) await chown(folder, owner.uid, owner.gid);
    },
  };
}

/** Says whether it was made here: only then is it ours to hand over and to remove. */
async function makeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function clearStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`${path}: is there already, and is no socket; remove it`);
  await rm(path);
}
