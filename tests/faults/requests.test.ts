import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ServiceProcess } from "../e2e/service-process.ts";
import type { World } from "../e2e/world.ts";
import { headersFor, openReceiver, readSamples, sampleRepository, sign } from "./receiver.ts";
import { storedDeliveries } from "./stored.ts";
import { Wire } from "./wire.ts";

let world: World;
let service: ServiceProcess;
const opened = new AsyncDisposableStack();
beforeAll(async () => {
  world = opened.use(await openReceiver());
  service = await world.start();
}, 60_000);
afterAll(() => opened.disposeAsync(), 60_000);

const uuid = "5f0a2a3e-0000-4000-8000-000000000001";
const repository = { id: sampleRepository, name: "widgets", full_name: "acme/widgets" };
const good = JSON.stringify({ ref: "refs/heads/main", repository });
const megabyte = 1024 ** 2;

type Body = string | Uint8Array<ArrayBuffer>;
const post = (body: Body, headers: Record<string, string>, url = world.hookUrl): Promise<Response> =>
  fetch(url, { method: "POST", headers, body });

async function refused(response: Response): Promise<{ status: number; error: string; hint: string }> {
  const { error, hint } = (await response.json()) as { error: string; hint: string };
  return { status: response.status, error, hint };
}

const right = sign(good);
const signatures: [what: string, signature: string | null][] = [
  ["no signature", null],
  ["an empty signature", ""],
  ["the signature of another secret", sign(good, "another secret")],
  ["the signature of another body", sign(`${good} `)],
  ["no hex", "x".repeat(64)],
  ["half a signature", right.slice(0, 32)],
  ["a signature with more behind it", `${right}00`],
  ["a signature in two parts", `${right}, ${right}`],
];
test.each(signatures)("%s is refused with 401", async (_, signature) => {
  const { status, error, hint } = await refused(await post(good, headersFor(good, { uuid, signature })));
  expect({ status, error }).toEqual({ status: 401, error: expect.stringContaining("signature") });
  expect(hint).toContain("secrets/samples");
});

test("an empty body is no way around the signature", async () => {
  expect((await post("", headersFor(good, { uuid }))).status).toBe(401);
});

test.each(["/webhooks/main/nothing", "/webhooks/nothing/widgets", "/webhooks/main/..%2Fwidgets", "/webhooks/main"])(
  "%s is no hook: 404, whatever the signature",
  async (path) => {
    expect((await post(good, headersFor(good, { uuid }), `${world.url}${path}`)).status).toBe(404);
  },
);

test.each(["GET", "PUT", "DELETE", "OPTIONS"])("%s is not taken: 405, with what is", async (method) => {
  const response = await fetch(world.hookUrl, { method, headers: headersFor(good, { uuid }) });
  expect({ status: response.status, allow: response.headers.get("Allow") }).toEqual({ status: 405, allow: "POST" });
});

test.each([5, 50])("%d MB are refused with 413 before a byte of them is sent", async (size) => {
  using wire = await Wire.open(world.url);
  wire.begin(world.hookUrl, { ...headersFor(good, { uuid }), "Content-Length": String(size * megabyte) });
  expect(await wire.status()).toBe(413);
});

test("a body that does not tell its length is refused with 413 as soon as it is over 4 MB", async () => {
  using wire = await Wire.open(world.url);
  wire.begin(world.hookUrl, { ...headersFor(good, { uuid }), "Transfer-Encoding": "chunked" });
  // No last chunk: whoever waits for the end of the body answers never.
  for (let sent = 0; sent <= 4 * megabyte; sent += 65_536) wire.send(`10000\r\n${"x".repeat(65_536)}\r\n`);
  expect(await wire.status()).toBe(413);
});

const nested = (levels: number): string =>
  `{"repository":{"id":${sampleRepository}},"x":${"[".repeat(levels)}${"]".repeat(levels)}}`;
const unreadable: [what: string, body: Body, error: string][] = [
  ["no JSON", "payload=%7B%7D", "not JSON"],
  ["half a JSON", good.slice(0, -1), "not JSON"],
  ["a JSON that is no object", "[]", "no object"],
  ["bad UTF-8", new Uint8Array([...Buffer.from('{"x":"'), 0xc3, 0x28, ...Buffer.from('"}')]), "not UTF-8"],
  ["100 levels", nested(100), "nested deeper than 64"],
  ["500,000 levels", nested(500_000), "nested deeper than 64"],
];
test.each(unreadable)("%s are refused with 400, though they are signed", async (_, body, said) => {
  const { status, error } = await refused(await post(body, headersFor(body, { uuid })));
  expect({ status, error }).toEqual({ status: 400, error: expect.stringContaining(said) });
});

test("a delivery without an id or a name of its event is refused with 400", async () => {
  const { "X-Forgejo-Delivery": _, ...headers } = headersFor(good, { uuid });
  const { status, error } = await refused(await post(good, headers));
  expect({ status, error: error.toLowerCase() }).toEqual({
    status: 400,
    error: expect.stringContaining("x-forgejo-delivery"),
  });
});

test("another repository's payload is refused with 403, though it is signed with this hook's secret", async () => {
  const samples = await readSamples();
  const assigned = samples.find(({ name }) => name === "forgejo.issues.assigned")!;
  const payload = JSON.parse(new TextDecoder().decode(assigned.body)) as { repository: { id: number } };
  payload.repository.id = sampleRepository + 1;
  const body = JSON.stringify(payload);
  const { status, error } = await refused(await post(body, headersFor(body, { uuid, eventType: "issue_assign" })));
  expect({ status, error }).toEqual({ status: 403, error: expect.stringMatching(/id 8.*for 7/) });
});

test("bodies that come too slowly or not at all end by themselves, and hold up nobody", async () => {
  const wires = await Promise.all(Array.from({ length: 50 }, () => Wire.open(world.url)));
  for (const wire of wires) wire.begin(world.hookUrl, { ...headersFor(good, { uuid }), "Content-Length": "100000" });
  const trickle = setInterval(() => wires.slice(25).forEach((wire) => wire.send("x")), 250);
  try {
    expect((await fetch(`${world.url}/health`)).status).toBe(200);
    const ends = await Promise.all(wires.map((wire) => wire.status()));
    // Silent ones may be cut by the server itself; those that trickle get the service's own answer.
    expect(new Set(ends.slice(0, 25))).toBeOneOf([new Set([null]), new Set([408]), new Set([408, null])]);
    expect(new Set(ends.slice(25))).toEqual(new Set([408]));
  } finally {
    clearInterval(trickle);
    for (const wire of wires) wire[Symbol.dispose]();
  }
}, 60_000);

test("after all of it the service answers, has stored nothing of it, and takes what is sound", async () => {
  expect(storedDeliveries(world.stateDir)).toEqual([]);
  const body = good;
  const response = await post(body, headersFor(body, { uuid, eventType: "create" }));
  expect(response.status).toBe(202);
  expect(storedDeliveries(world.stateDir).map((row) => row.uuid)).toEqual([uuid]);
  expect((await fetch(`${world.url}/health`)).status).toBe(200);
  expect((await service.explain(uuid)).deliveries).toMatchObject([{ uuid }]);
});
