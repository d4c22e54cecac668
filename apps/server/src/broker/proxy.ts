import { requestHeaders, responseHeaders } from "./headers.ts";
import type { Credential, Refusal, RequestReport, Setup } from "./protocol.ts";
import { createUsageReader } from "./usage.ts";

const maxRequestBytes = 32 * 1024 * 1024;
const maxErrorBytes = 1024 * 1024;
const paths = new Set(["/v1/messages", "/v1/messages/count_tokens"]);

export interface ProxyDeps extends Setup {
  now: () => number;
  report: (report: RequestReport) => void;
  refused: (refusal: Refusal) => void;
}

/** Passes one run's requests to the model with the real credential, and nothing but those that ask for a message. */
export function createProxy(deps: ProxyDeps, run: string): (request: Request) => Promise<Response> {
  return async (request) => {
    const url = new URL(request.url);
    const why = refusal(request.method, url) ?? tooLong(request);
    if (why !== null) return refuse(deps, run, request.method, url, why);
    const body = await readBody(request.body, maxRequestBytes);
    if (body === null) return refuse(deps, run, request.method, url, tooLarge);
    const target = { path: url.pathname, search: url.search, body };
    return pass(deps, run, request, target);
  };
}

const forbidden = {
  status: 403,
  type: "permission_error",
  message: "Only POST /v1/messages and /v1/messages/count_tokens pass to the model from here.",
};
const tooLarge = {
  status: 413,
  type: "request_too_large",
  message: `The request is over ${maxRequestBytes} bytes, the most that the Messages API takes.`,
};
type Why = typeof forbidden;

function refusal(method: string, url: URL): Why | null {
  const known = method === "POST" && paths.has(url.pathname) && ["", "?beta=true"].includes(url.search);
  return known ? null : forbidden;
}

const tooLong = (request: Request): Why | null =>
  Number(request.headers.get("content-length") ?? 0) > maxRequestBytes ? tooLarge : null;

function refuse({ refused }: ProxyDeps, run: string, method: string, url: URL, why: Why): Response {
  refused({ run, method, path: `${url.pathname}${url.search}`.slice(0, 200), why: why.message });
  return apiError(why.status, why.type, why.message);
}

/** In the shape of the Messages API, so that the agent says it as it would say the model's own. */
function apiError(status: number, type: string, message: string): Response {
  return Response.json({ type: "error", error: { type, message } }, { status });
}

/** Null where there is more than `maxBytes`; the rest is not read then. */
async function readBody(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = body?.getReader();
  for (;;) {
    const next = await reader?.read();
    if (next?.value === undefined) return Buffer.concat(chunks);
    size += next.value.length;
    if (size > maxBytes) {
      await reader?.cancel();
      return null;
    }
    chunks.push(next.value);
  }
}

interface Target {
  path: string;
  search: string;
  body: Buffer;
}

async function pass(deps: ProxyDeps, run: string, request: Request, target: Target): Promise<Response> {
  const { upstream, credential, now, report } = deps;
  const startedAt = now();
  const asked = modelOf(target.body);
  const told = { run, path: target.path, model: asked, usage: null, limitedUntil: null, cut: false };
  try {
    const answer = await fetch(`${upstream.baseUrl.replace(/\/+$/, "")}${target.path}${target.search}`, {
      method: "POST",
      headers: requestHeaders(request.headers, credential),
      body: target.body,
      redirect: "manual",
      signal: request.signal,
      timeout: false,
      ...(upstream.socket === null ? {} : { unix: upstream.socket }),
    });
    const limitedUntil = limitOf(answer, now());
    return await passBack(answer, credential, (end) =>
      report({
        ...told,
        ...end,
        model: end.model ?? asked,
        status: answer.status,
        limitedUntil,
        ms: now() - startedAt,
      }),
    );
  } catch (error) {
    report({ ...told, status: 502, cut: request.signal.aborted, ms: now() - startedAt });
    return apiError(502, "api_error", unreachable(upstream.baseUrl, error, credential));
  }
}

type End = Pick<RequestReport, "model" | "usage" | "cut">;

async function passBack(answer: Response, credential: Credential, ended: (end: End) => void): Promise<Response> {
  const init = { status: answer.status, headers: responseHeaders(answer.headers, credential) };
  if (!answer.ok || answer.body === null) {
    const body = await readBody(answer.body, maxErrorBytes);
    const text = body?.toString("utf8") ?? "";
    ended({ model: null, usage: null, cut: false });
    // Some gateways answer a wrong key with the key.
    return new Response(text.replaceAll(credential.value, "[credential]"), init);
  }
  const usage = createUsageReader(answer.headers.get("content-type") ?? "");
  return new Response(
    watched(answer.body, usage.add, (cut) => ended({ ...usage.read(), cut })),
    init,
  );
}

/** Pulls only what is asked for, so a slow reader slows the model's side down, and one that goes away ends it. */
function watched(
  body: ReadableStream<Uint8Array>,
  see: (chunk: Uint8Array) => void,
  ended: (cut: boolean) => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let over = false;
  const finish = (cut: boolean) => {
    if (!over) ended(cut);
    over = true;
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            finish(false);
            controller.close();
            return;
          }
          see(value);
          controller.enqueue(value);
        } catch (error) {
          finish(true);
          controller.error(error);
        }
      },
      async cancel(reason) {
        finish(true);
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

function modelOf(body: Buffer): string | null {
  try {
    const { model } = JSON.parse(body.toString("utf8")) as { model?: unknown };
    return typeof model === "string" ? model.slice(0, 200) : null;
  } catch {
    return null;
  }
}

/** When a 429 lets us in again: the reset of the usage window (epoch seconds), else `retry-after` (seconds). */
function limitOf(answer: Response, now: number): number | null {
  if (answer.status !== 429) return null;
  const reset = seconds(answer.headers.get("anthropic-ratelimit-unified-reset"));
  if (reset !== null) return reset * 1_000;
  const after = seconds(answer.headers.get("retry-after"));
  return after === null ? null : now + after * 1_000;
}

function seconds(value: string | null): number | null {
  const number = Number(value ?? Number.NaN);
  return Number.isFinite(number) && number >= 0 ? number : null;
}

function unreachable(baseUrl: string, error: unknown, credential: Credential): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const why = [code, message].filter((part) => typeof part === "string" && part !== "").join(": ");
  const text = `The model at ${new URL(baseUrl).host} could not be reached (${why}). Check the model's base URL and the network of the machine that claude-hooks runs on.`;
  return text.replaceAll(credential.value, "[credential]");
}
