/** One webhook as a receiver saw it. */
export interface Received {
  headers: Record<string, string>;
  body: Uint8Array;
  eventType: string;
  payload: Record<string, unknown>;
}

/** A receiver of webhooks on a free port. */
export class Receiver implements Disposable {
  readonly received: Received[] = [];
  readonly url: string;
  readonly #server: Bun.Server<undefined>;

  constructor(answer: () => Response | Promise<Response> = () => new Response(null, { status: 202 })) {
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: async (request) => {
        const body = await request.bytes();
        this.received.push({
          headers: Object.fromEntries(request.headers),
          body,
          eventType: request.headers.get("x-forgejo-event-type") ?? "",
          payload: JSON.parse(new TextDecoder().decode(body)) as Record<string, unknown>,
        });
        return answer();
      },
    });
    this.url = `http://127.0.0.1:${this.#server.port}/hook`;
  }

  [Symbol.dispose](): void {
    void this.#server.stop(true);
  }
}
