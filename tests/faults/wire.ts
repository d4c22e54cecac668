import { connect, type Socket } from "node:net";

/** A connection that sends the bytes it is told to, when it is told to, and gathers what comes back. */
export class Wire implements Disposable {
  readonly #socket: Socket;
  readonly #ended: Promise<void>;
  #received = "";

  private constructor(socket: Socket) {
    this.#socket = socket;
    const ended = Promise.withResolvers<void>();
    this.#ended = ended.promise;
    socket.on("data", (chunk: Buffer) => {
      this.#received += chunk.toString("latin1");
    });
    // A service that has answered may cut what is still sent to it.
    socket.on("error", () => ended.resolve());
    socket.on("close", () => ended.resolve());
  }

  static async open(url: string): Promise<Wire> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) });
    const opened = Promise.withResolvers<void>();
    socket.once("connect", opened.resolve);
    socket.once("error", opened.reject);
    await opened.promise;
    return new Wire(socket);
  }

  /** The request line and the headers of a POST; no byte of a body. */
  begin(url: string, headers: Record<string, string>): void {
    const { pathname, host } = new URL(url);
    const lines = Object.entries({ Host: host, ...headers }).map(([name, value]) => `${name}: ${value}`);
    this.send(`POST ${pathname} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
  }

  send(bytes: string | Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  get isOpen(): boolean {
    return this.#socket.writable;
  }

  /** The status of the first answer; null where the connection ended without one. */
  async status(): Promise<number | null> {
    for (;;) {
      const found = /^HTTP\/1\.1 (\d{3}) /.exec(this.#received);
      if (found !== null) return Number(found[1]);
      if (this.#socket.closed || this.#socket.destroyed) return null;
      const more = Promise.withResolvers<void>();
      this.#socket.once("data", () => more.resolve());
      await Promise.race([more.promise, this.#ended]);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
