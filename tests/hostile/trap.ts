import { createServer } from "node:net";

/** Counts who gets through to it. */
export interface Trap extends AsyncDisposable {
  port: number;
  hits(): number;
}

/** On a port of loopback, or on a socket without a file where it has a name: only a network of one's own hides that. */
export async function openTrap(name?: string): Promise<Trap> {
  let hits = 0;
  const server = createServer((socket) => {
    hits += 1;
    socket.destroy();
  });
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  if (name === undefined) server.listen(0, "127.0.0.1", listening.resolve);
  if (name !== undefined) server.listen(`\0${name}`, listening.resolve);
  await listening.promise;
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    hits: () => hits,
    [Symbol.asyncDispose]: () => new Promise<void>((done) => void server.close(() => done())),
  };
}
