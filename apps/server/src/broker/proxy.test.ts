import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import {
  brokerFor,
  cleanups,
  folder,
  key,
  messageDelta,
  messageStart,
  nextReport,
  openRun,
  post,
  sse,
  until,
  upstream,
} from "./testing/fixture.ts";

describe("what the model is sent", () => {
  test("the real key, and none of the credentials and connection headers that the agent sent", async () => {
    const model = upstream(() => Response.json({ model: "claude-test" }));
    const { broker } = await brokerFor(model.baseUrl);
    const socket = await openRun(broker);
    await post(socket, "/v1/messages?beta=true", {
      headers: {
        "x-api-key": "sk-of-the-agent",
        authorization: "Bearer of-the-agent",
        cookie: "a=b",
        "proxy-authorization": "Basic x",
        "x-forwarded-for": "10.0.0.1",
        connection: "x-hop",
        "x-hop": "1",
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "one",
      },
    });
    const { headers, path, body } = model.seen[0]!;
    expect(path).toBe("/v1/messages?beta=true");
    expect(body).toBe('{"model":"claude-asked"}');
    expect(headers.get("x-api-key")).toBe(key);
    expect(headers.get("anthropic-version")).toBe("2023-06-01");
    expect(headers.get("anthropic-beta")).toBe("one");
    for (const name of ["authorization", "cookie", "proxy-authorization", "x-forwarded-for", "x-hop"])
      expect(headers.get(name)).toBeNull();
    expect(headers.get("host")).toBe(new URL(model.baseUrl).host);
  });

  test("an OAuth token goes as a bearer token, with the beta header that it needs", async () => {
    const model = upstream(() => Response.json({}));
    const { broker } = await brokerFor(model.baseUrl, { kind: "oauth", value: "oauth-token-of-the-operator" });
    const socket = await openRun(broker);
    await post(socket, "/v1/messages", { headers: { "x-api-key": "x", "anthropic-beta": "one, oauth-2025-04-20" } });
    await post(socket, "/v1/messages");
    expect(model.seen.map(({ headers }) => headers.get("authorization"))).toEqual(
      Array(2).fill("Bearer oauth-token-of-the-operator"),
    );
    expect(model.seen.map(({ headers }) => headers.get("anthropic-beta"))).toEqual([
      "one,oauth-2025-04-20",
      "oauth-2025-04-20",
    ]);
    expect(model.seen[0]!.headers.get("x-api-key")).toBeNull();
  });

  test("a model on a unix socket of its own is asked there", async () => {
    const path = join(await folder(), "upstream.sock");
    const server = Bun.serve({
      unix: path,
      fetch: (request) => Response.json({ model: request.headers.get("x-api-key") }),
    });
    cleanups.push(() => server.stop(true));
    const { broker } = await brokerFor({ baseUrl: "http://model", socket: path });
    const reported = nextReport(broker);
    const answer = await post(await openRun(broker));
    expect(answer.status).toBe(200);
    expect(await reported).toMatchObject({ status: 200, model: "[credential]" });
  });

  test("a base URL with a path keeps it", async () => {
    const model = upstream(() => Response.json({}));
    const { broker } = await brokerFor(`${model.baseUrl}/gateway/`);
    await post(await openRun(broker), "/v1/messages/count_tokens");
    expect(model.seen[0]!.path).toBe("/gateway/v1/messages/count_tokens");
  });
});

describe("what does not pass", () => {
  const cases = [
    ["GET", "/v1/messages"],
    ["POST", "/v1/messages/"],
    ["POST", "/v1/messages?beta=false"],
    ["POST", "/v1/messages?beta=true&x=1"],
    ["POST", "/v1/messages/batches"],
    ["POST", "/v1/files"],
    ["GET", "/v1/models"],
    ["POST", "/v1/../v1/complete"],
    ["HEAD", "/"],
    ["DELETE", "/v1/messages"],
  ] as const;
  test("anything but asking for a message or a count: 403 in the API's shape, logged, and nothing reaches the model", async () => {
    const model = upstream(() => Response.json({}));
    const { broker, logged } = await brokerFor(model.baseUrl);
    const socket = await openRun(broker);
    for (const [method, path] of cases) {
      const answer = await post(socket, path, { method, body: method === "POST" ? "{}" : null });
      expect([method, path, answer.status]).toEqual([method, path, 403]);
      if (method !== "HEAD")
        expect(await answer.json()).toMatchObject({ type: "error", error: { type: "permission_error" } });
    }
    expect(model.seen).toEqual([]);
    await until(() => logged.length === cases.length);
  });

  test("a body over 32 MB: 413, by its length before it is read, and by its size where no length is told", async () => {
    const model = upstream(() => Response.json({}));
    const { broker } = await brokerFor(model.baseUrl);
    const socket = await openRun(broker);
    const told = Bun.connect({
      unix: socket,
      socket: {
        open: (s) =>
          void s.write(`POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: ${33 * 1024 * 1024}\r\n\r\n`),
        data: (_s, data) => answered.resolve(data.toString()),
      },
    });
    const answered = Promise.withResolvers<string>();
    expect(await answered.promise).toStartWith("HTTP/1.1 413");
    (await told).end();
    const megabyte = new Uint8Array(1024 * 1024);
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        sent += 1;
        if (sent > 33) controller.close();
        else controller.enqueue(megabyte);
      },
    });
    const chunked = await post(socket, "/v1/messages", { body });
    expect(chunked.status).toBe(413);
    expect(await chunked.json()).toMatchObject({ error: { type: "request_too_large" } });
    expect(model.seen).toEqual([]);
  });
});

describe("what comes back", () => {
  test("an event stream piece by piece, while the model still writes, and its tokens are reported", async () => {
    const go = Promise.withResolvers<void>();
    const model = upstream(
      () =>
        new Response(
          (async function* () {
            yield sse(messageStart);
            await go.promise;
            yield sse(messageDelta).slice(0, 40);
            yield sse(messageDelta).slice(40);
          })(),
          { headers: { "content-type": "text/event-stream; charset=utf-8" } },
        ),
    );
    const { broker } = await brokerFor(model.baseUrl);
    const socket = await openRun(broker);
    const reported = nextReport(broker);
    const answer = await post(socket);
    const reader = answer.body!.getReader();
    const first = await reader.read();
    expect(new TextDecoder().decode(first.value)).toBe(sse(messageStart));
    go.resolve();
    let rest = "";
    for (let next = await reader.read(); !next.done; next = await reader.read())
      rest += new TextDecoder().decode(next.value);
    expect(rest).toBe(sse(messageDelta));
    expect(await reported).toEqual({
      run: "run-1",
      path: "/v1/messages",
      status: 200,
      model: "claude-test",
      usage: { inputTokens: 12, cacheCreationInputTokens: 3, cacheReadInputTokens: 4, outputTokens: 55 },
      ms: expect.any(Number),
      limitedUntil: null,
      cut: false,
    });
  });

  test("a plain message with its tokens, without the headers that name the account", async () => {
    const model = upstream(() =>
      Response.json(
        { model: "claude-plain", usage: { input_tokens: 9, output_tokens: 2 } },
        {
          headers: {
            "set-cookie": "s=1",
            "anthropic-organization-id": "org",
            "request-id": "req_1",
            "x-echo": `a ${key}`,
          },
        },
      ),
    );
    const { broker } = await brokerFor(model.baseUrl);
    const socket = await openRun(broker);
    const reported = nextReport(broker);
    const answer = await post(socket);
    expect(await answer.json()).toMatchObject({ model: "claude-plain" });
    expect(answer.headers.get("request-id")).toBe("req_1");
    for (const name of ["set-cookie", "anthropic-organization-id", "x-echo"])
      expect(answer.headers.get(name)).toBeNull();
    expect(await reported).toMatchObject({
      model: "claude-plain",
      usage: { inputTokens: 9, cacheCreationInputTokens: 0, cacheReadInputTokens: 0, outputTokens: 2 },
    });
  });

  test("the model's 401 with its status and words, but not with the key that it repeats", async () => {
    const model = upstream(() =>
      Response.json(
        { type: "error", error: { type: "authentication_error", message: `bad key ${key}` } },
        { status: 401 },
      ),
    );
    const { broker } = await brokerFor(model.baseUrl);
    const socket = await openRun(broker);
    const reported = nextReport(broker);
    const answer = await post(socket);
    expect(answer.status).toBe(401);
    const text = await answer.text();
    expect(text).toContain("authentication_error");
    expect(text).not.toContain(key);
    expect(await reported).toMatchObject({ status: 401, model: "claude-asked", usage: null, cut: false });
  });

  const limits = [
    [{ "retry-after": "60" }, 60_000],
    [{ "retry-after": "60", "anthropic-ratelimit-unified-reset": "4000000000" }, null],
    [{}, 0],
  ] as const;
  test("a 429 reports until when", async () => {
    for (const [headers, afterMs] of limits) {
      const model = upstream(() => Response.json({ type: "error" }, { status: 429, headers: { ...headers } }));
      const { broker } = await brokerFor(model.baseUrl);
      const socket = await openRun(broker);
      const reported = nextReport(broker);
      const before = Date.now();
      const answer = await post(socket);
      expect(answer.headers.get("retry-after")).toBe("retry-after" in headers ? "60" : null);
      const { limitedUntil } = await reported;
      if (afterMs === 0) expect(limitedUntil).toBeNull();
      else if (afterMs === null) expect(limitedUntil).toBe(4_000_000_000_000);
      else expect(limitedUntil).toBeGreaterThanOrEqual(before + afterMs);
    }
  });

  test("a model that cannot be reached: 502 that says where it was looked for and what to check", async () => {
    const { broker } = await brokerFor("http://127.0.0.1:1");
    const socket = await openRun(broker);
    const reported = nextReport(broker);
    const answer = await post(socket);
    expect(answer.status).toBe(502);
    const { error } = (await answer.json()) as { error: { message: string; type: string } };
    expect(error.type).toBe("api_error");
    expect(error.message).toStartWith("The model at 127.0.0.1:1 could not be reached (");
    expect(error.message).toContain("Check the model's base URL");
    expect(await reported).toMatchObject({ status: 502, cut: false });
  });
});
