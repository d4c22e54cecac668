import type { z } from "zod";
import { ForgeError } from "../domain/forge.ts";
import { type Failure, failureOf, noAnswer } from "./rest-errors.ts";

export interface RestOptions {
  /** How messages name the forge, e.g. `forge "home" (https://git.example.org)`. */
  forgeName: string;
  login: string;
  /** Where the API's routes begin, without a slash at the end. */
  apiUrl: string;
  /** The value of the Authorization header: a secret. */
  authorization: string;
  /** The secret itself, so that no answer can carry it into a message. */
  token: string;
  timeoutMs: number;
  maxBodyBytes: number;
}

export interface RestRequest {
  method?: "GET" | "POST" | "PATCH";
  /** Below the API's address, every part of it encoded. */
  path: string;
  query?: Readonly<Record<string, string | number>>;
  json?: unknown;
}

export interface RestAnswer {
  status: number;
  headers: Headers;
  body: unknown;
}

const maxRedirects = 3;

/** JSON over HTTP for one user of one forge. It retries nothing, and rejects with ForgeError only. */
export class Rest {
  readonly #options: RestOptions;

  constructor(options: RestOptions) {
    this.#options = options;
  }

  /** The answer of a 2xx, read by `schema`. */
  async read<T>(schema: z.ZodType<T>, request: RestRequest): Promise<T> {
    return this.parse(schema, request, await this.send(request));
  }

  parse<T>(schema: z.ZodType<T>, request: RestRequest, answer: RestAnswer): T {
    const parsed = schema.safeParse(answer.body);
    if (parsed.success) return parsed.data;
    const fault = parsed.error.issues[0];
    const where = fault === undefined ? "" : ` at ${fault.path.join(".") || "its top"}: ${fault.message}`;
    throw this.#error(request, {
      kind: "unexpected-answer",
      status: answer.status,
      detail: `answered ${answer.status} with JSON that is not what this route promises${where}`,
      hint: "Check that the forge's kind and address in the configuration are right, and its version supported.",
    });
  }

  async send(request: RestRequest): Promise<RestAnswer> {
    const signal = AbortSignal.timeout(this.#options.timeoutMs);
    let url = this.#url(request);
    for (let hop = 0; ; hop += 1) {
      const response = await this.#fetch(request, url, signal);
      const target = this.#redirect(request, url, response, hop);
      if (target === null) return this.#answer(request, response);
      await response.body?.cancel();
      url = target;
    }
  }

  #url({ path, query = {} }: RestRequest): URL {
    const url = new URL(`${this.#options.apiUrl}${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    return url;
  }

  async #fetch(request: RestRequest, url: URL, signal: AbortSignal): Promise<Response> {
    const { authorization, timeoutMs } = this.#options;
    const headers = new Headers({ Accept: "application/json", Authorization: authorization });
    const init: RequestInit = { method: request.method ?? "GET", headers, redirect: "manual", signal };
    if (request.json !== undefined) {
      headers.set("Content-Type", "application/json");
      init.body = JSON.stringify(request.json);
    }
    try {
      return await fetch(url, init);
    } catch (cause) {
      throw this.#error(request, noAnswer(cause, timeoutMs));
    }
  }

  /** Where to go on, or null for an answer that is final. The token stays with the API that it was given for. */
  #redirect(request: RestRequest, from: URL, response: Response, hop: number): URL | null {
    const location = response.headers.get("Location");
    if (response.status < 300 || response.status > 399 || location === null) return null;
    const keepsMethod = (request.method ?? "GET") === "GET" || response.status === 307 || response.status === 308;
    const target = URL.canParse(location, from.href) ? new URL(location, from.href) : null;
    const api = new URL(`${this.#options.apiUrl}/`);
    const ours = target?.origin === api.origin && target.pathname.startsWith(api.pathname);
    if (target !== null && ours && keepsMethod && hop < maxRedirects) return target;
    const refused = ours
      ? "and it was not followed"
      : "outside its own API, and it was not followed: the token is for this forge only";
    throw this.#error(request, {
      kind: "unexpected-answer",
      status: response.status,
      detail: `answered with a redirect ${refused}`,
      hint: "Put the address that the forge itself uses (its ROOT_URL) into the configuration.",
    });
  }

  async #answer(request: RestRequest, response: Response): Promise<RestAnswer> {
    const { status, headers } = response;
    const text = await this.#text(request, response);
    if (status < 200 || status > 299) throw this.#error(request, failureOf(status, headers, text, this.#options.login));
    if (text === "") return { status, headers, body: null };
    try {
      return { status, headers, body: JSON.parse(text) as unknown };
    } catch (cause) {
      const failure: Failure = {
        kind: "unexpected-answer",
        status,
        detail: `answered ${status} with something that is not JSON`,
        hint: "Check that the forge's address in the configuration is right, and that no sign-in page or proxy stands before it.",
      };
      throw this.#error(request, failure, cause);
    }
  }

  async #text(request: RestRequest, response: Response): Promise<string> {
    const { maxBodyBytes, timeoutMs } = this.#options;
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      const body: AsyncIterable<Uint8Array> | null = response.body;
      for await (const chunk of body ?? []) {
        size += chunk.byteLength;
        if (size > maxBodyBytes) break;
        chunks.push(chunk);
      }
    } catch (cause) {
      throw this.#error(request, noAnswer(cause, timeoutMs), cause);
    }
    if (size <= maxBodyBytes) return Buffer.concat(chunks).toString("utf8");
    throw this.#error(request, {
      kind: "unexpected-answer",
      status: response.status,
      detail: `answered with more than ${maxBodyBytes} bytes`,
      hint: "No answer of this route should be so large; look at what stands at the forge's address.",
    });
  }

  #error(request: RestRequest, failure: Failure, cause: unknown = failure.cause): ForgeError {
    const { forgeName, login, token } = this.#options;
    const method = request.method ?? "GET";
    const message = `${forgeName}, as ${login}: ${method} ${request.path} ${failure.detail}. ${failure.hint}`;
    const ambiguous = method !== "GET" && (failure.ambiguous ?? failure.kind === "unexpected-answer");
    const detail = {
      kind: failure.kind,
      status: failure.status,
      ambiguous,
      retryAfterMs: failure.retryAfterMs ?? null,
    };
    return new ForgeError(
      token === "" ? message : message.replaceAll(token, "***"),
      detail,
      cause === undefined ? {} : { cause },
    );
  }
}
