import { ApiError, apiPrefix } from "@claude-hooks/api";
import type { z } from "zod";

/** A request that the service did not carry out; the message is for people. */
export class ClientError extends Error {
  override readonly name = "ClientError";
}

/** The service's API on its unix socket. */
export class Client {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  /** @throws ClientError where the service is not there, refuses, or answers what this version does not understand. */
  get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    return this.send("GET", path, schema);
  }

  /** Like {@link Client.get}, for what changes something; a text goes as it is. */
  async send<T>(method: string, path: string, schema: z.ZodType<T>, body?: string | object): Promise<T> {
    const text = typeof body === "object" ? JSON.stringify(body) : body;
    const response = await this.#fetch(path, { method, ...(text === undefined ? {} : { body: text }) });
    const parsed = schema.safeParse(await response.json());
    if (!parsed.success)
      throw new ClientError(`the service answered ${path} in a form that this version does not know`);
    return parsed.data;
  }

  /** Server-sent events, one `data` each, until the service ends the stream. */
  async *stream(path: string, lastId: number): AsyncGenerator<string> {
    const response = await this.#fetch(path, { headers: { "last-event-id": String(lastId) } });
    const decoder = new TextDecoder();
    let rest = "";
    const body: ReadableStream<Uint8Array> | null = response.body;
    for await (const chunk of body ?? []) {
      const blocks = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const data = block.split("\n").filter((line) => line.startsWith("data:"));
        if (data.length > 0) yield data.map((line) => line.slice(5).trimStart()).join("\n");
      }
    }
  }

  async #fetch(path: string, request: RequestInit): Promise<Response> {
    const response = await this.#connect(path, request);
    if (response.ok) return response;
    const body = ApiError.safeParse(await response.json().catch(() => null));
    throw new ClientError(body.success ? body.data.error : `the service answered ${response.status} to ${path}`);
  }

  async #connect(path: string, request: RequestInit): Promise<Response> {
    try {
      return await fetch(`http://claude-hooks${apiPrefix}${path}`, { ...request, unix: this.#socket });
    } catch (error) {
      const why = `no service answers on ${this.#socket}`;
      const next = "start it with `claude-hooks serve`, or name its state folder with --state";
      throw new ClientError(`${why}; ${next}`, { cause: error });
    }
  }
}
