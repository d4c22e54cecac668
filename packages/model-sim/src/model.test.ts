import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ModelOptions, startModel } from "./index.ts";

const script = {
  name: "faults",
  agents: [
    {
      name: "dev",
      match: { prompt: "work" },
      turns: [
        { when: { prompt: "gate" }, steps: [{ text: "through", gate: "door" }] },
        { when: { prompt: "busy" }, steps: [{ text: "at last", fault: { status: 529 as const, times: 2 } }] },
        { when: { prompt: "cut" }, steps: [{ text: "half of this", fault: "cut" as const }] },
        { when: { prompt: "silent" }, steps: [{ fault: "silence" as const }] },
        { when: { prompt: "slow" }, steps: [{ text: "slow", delay_ms: 60_000 }] },
        { steps: [{ text: "worked" }] },
      ],
    },
  ],
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "model-sim-"));
});
afterEach(() => rm(folder, { recursive: true }));

const start = (options: Omit<ModelOptions, "script"> = {}) => startModel({ script, ...options });

const refusal = (socket: string) => start({ socket }).then(() => "started", String);

function ask(
  url: string,
  prompt: string,
  { stream = false, ...init }: BunFetchRequestInit & { stream?: boolean } = {},
) {
  const body = { model: "m", max_tokens: 10, stream, messages: [{ role: "user", content: `work ${prompt}` }] };
  return fetch(`${url}/v1/messages`, { method: "POST", body: JSON.stringify(body), ...init });
}

describe("gates", () => {
  test("a step waits at its gate until it is opened, and later ones pass", async () => {
    await using model = await start();
    const held = ask(model.url, "gate");
    const request = await model.waitAtGate("door");
    expect(request).toMatchObject({ agent: "dev", turn: 1, step: 1, outcome: "pending" });
    model.open("door");
    expect((await held).status).toBe(200);
    expect(request.outcome).toBe("answered");
    expect((await ask(model.url, "gate")).status).toBe(200);
  });

  test("a client that leaves does not wait at the gate any more", async () => {
    await using model = await start();
    const leaving = new AbortController();
    const first = ask(model.url, "gate", { signal: leaving.signal }).catch(() => "left");
    const request = await model.waitAtGate("door");
    leaving.abort();
    expect(await first).toBe("left");
    expect(await model.waitForRequest(({ outcome }) => outcome === "gone")).toBe(request);
    const second = ask(model.url, "gate").catch(() => "closed");
    expect((await model.waitAtGate("door")).number).toBe(2);
    await model.close();
    await second;
  });

  test("a gate that the script does not have is an error, not a wait", async () => {
    await using model = await start();
    expect(() => model.open("window")).toThrow('no gate "window"; it has door');
    expect(() => model.waitAtGate("window")).toThrow("window");
  });
});

describe("faults", () => {
  test("a scripted fault ends after its times", async () => {
    await using model = await start();
    const statuses = [];
    for (let turn = 0; turn < 3; turn += 1) statuses.push((await ask(model.url, "busy")).status);
    expect(statuses).toEqual([529, 529, 200]);
  });

  test("faults by handle come in order, before the script, and can be cleared", async () => {
    await using model = await start();
    model.faults.next({ status: 429, times: 2 });
    model.faults.next({ status: 500, times: Number.POSITIVE_INFINITY });
    const statuses = [];
    for (let turn = 0; turn < 4; turn += 1) statuses.push((await ask(model.url, "")).status);
    model.faults.clear();
    statuses.push((await ask(model.url, "")).status);
    expect(statuses).toEqual([429, 429, 500, 500, 200]);
  });

  test.each([true, false])("a cut breaks the connection in the middle of the answer (stream: %p)", async (stream) => {
    await using model = await start();
    const response = await ask(model.url, "cut", { stream });
    const read = await response.text().then(
      () => "complete",
      () => "broken",
    );
    expect(read).toBe("broken");
    expect(model.requests()).toMatchObject([{ outcome: "cut" }]);
  });

  test.each(["silent", "slow"])("a %s answer ends when the model closes", async (prompt) => {
    const model = await start();
    const asked = ask(model.url, prompt).then(
      () => "answered",
      () => "broken",
    );
    await model.waitForRequest((request) => request.prompt.includes(prompt));
    await model.close();
    expect(await asked).toBe("broken");
  });

  test("a delay by handle is followed by the scripted answer", async () => {
    await using model = await start();
    model.faults.next({ delayMs: 1 });
    expect((await ask(model.url, "")).status).toBe(200);
  });
});

describe("records", () => {
  test("credentials are kept apart from the headers", async () => {
    await using model = await start({ now: () => 42 });
    const headers = { "x-api-key": "sk-secret", authorization: "Bearer token", "x-stainless-retry-count": "3" };
    await ask(model.url, "", { headers });
    const [request] = model.requests();
    expect(request).toMatchObject({
      at: 42,
      retry: 3,
      headers: { "x-api-key": "(present)", authorization: "(present)" },
      credentials: { apiKey: "sk-secret", authorization: "Bearer token" },
    });
  });

  test("with a key of its own it refuses any other", async () => {
    await using model = await start({ apiKey: "sk-real" });
    expect((await ask(model.url, "", { headers: { "x-api-key": "sk-other" } })).status).toBe(401);
    expect((await ask(model.url, "")).status).toBe(401);
    expect((await ask(model.url, "", { headers: { "x-api-key": "sk-real" } })).status).toBe(200);
    expect((await ask(model.url, "", { headers: { authorization: "Bearer sk-real" } })).status).toBe(200);
    expect(model.requests().map(({ kind }) => kind)).toEqual(["refused", "refused", "scripted", "scripted"]);
    expect(model.unexpected()).toEqual([]);
  });

  test("a wait that cannot be met any more fails and says what came", async () => {
    const model = await start();
    await ask(model.url, "");
    const waits = [model.waitForRequest((request) => request.turn === 2), model.waitAtGate("door")];
    const failures = Promise.all(waits.map((wait) => wait.catch((error: unknown) => String(error))));
    await model.close();
    const [noRequest, nobodyAtGate] = await failures;
    expect(noRequest).toContain("these came: 1 scripted dev 6/1");
    expect(nobodyAtGate).toContain('before a request came to the gate "door"');
  });

  test("only the latest requests keep their body", async () => {
    await using model = await start({ keepBodies: 1 });
    await ask(model.url, "one");
    await ask(model.url, "two");
    expect(model.requests().map((request) => request.body !== undefined)).toEqual([false, true]);
  });
});

describe("listening", () => {
  test("a unix socket answers, alone or beside TCP, and is removed at the end", async () => {
    const socket = join(folder, "model.sock");
    const model = await start({ socket });
    expect(model.port).toBeUndefined();
    expect((await ask(model.url, "", { unix: socket })).status).toBe(200);
    await model.close();
    expect(await Bun.file(socket).exists()).toBe(false);
    await using both = await start({ socket, port: 0 });
    expect((await ask(both.url, "")).status).toBe(200);
    expect((await ask(both.url, "", { unix: socket })).status).toBe(200);
  });

  test("a socket file left by a dead process is taken over", async () => {
    const socket = join(folder, "stale.sock");
    const code = `require("node:net").createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 9))`;
    await Bun.spawn([process.execPath, "-e", code]).exited;
    await using model = await start({ socket });
    expect((await ask(model.url, "", { unix: socket })).status).toBe(200);
  });

  test("a path in use, by a process or a file, is refused", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    expect(await refusal(file)).toContain("is there and is no socket");
    const socket = join(folder, "live.sock");
    const server = createServer().listen(socket);
    await new Promise((resolve) => server.once("listening", resolve));
    expect(await refusal(socket)).toContain("another process listens there");
    server.close();
  });
});
