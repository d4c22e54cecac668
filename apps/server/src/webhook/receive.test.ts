import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { delivery, folder, good, names, post, QueueFull, samples, secret, setUp, sign } from "./testing/set-up.ts";

describe("every sample of a forge's deliveries", () => {
  test.each(Object.keys(samples))("%s is accepted and stored as it came", async (name) => {
    const { send, stored } = setUp();
    const sample = samples[name]!;
    const body = readFileSync(join(folder, sample.file));
    expect(await send(post(body, sample.headers))).toMatchObject({
      status: 202,
      body: { delivery: "delivery-1", duplicate: false },
    });
    expect(stored).toHaveLength(1);
    expect(Buffer.from(stored[0]!.body).equals(body)).toBe(true);
    const id = sample.headers["X-Forgejo-Delivery"] ?? sample.headers["X-Gitea-Delivery"];
    expect(stored[0]).toMatchObject({ forge: "home", hookId: "widgets", uuid: id! });
  });
});

describe("a webhook", () => {
  test("is stored with its headers and the time, before it is answered", async () => {
    const { send, stored, answers, clock } = setUp();
    await send(delivery(good, { "X-Forgejo-Event-Type": "issue_assign" }));
    expect(stored).toMatchObject([
      { id: "delivery-1", uuid: "uuid-1", event: "issues", eventType: "issue_assign", receivedAt: clock.now() },
    ]);
    expect(answers).toMatchObject([{ forge: "home", hookId: "widgets", status: 202, delivery: "delivery-1" }]);
    expect(clock.pending()).toBe(0);
  });

  test("that comes again is answered as a duplicate, with the id of the first", async () => {
    const { send, stored } = setUp();
    await send(delivery(good));
    expect(await send(delivery(good))).toMatchObject({
      status: 202,
      body: { delivery: "delivery-1", duplicate: true },
    });
    expect(stored).toHaveLength(1);
  });

  test("is signed by any of the secrets that are valid while they change", async () => {
    const { send } = setUp({ hooks: { secrets: ["new", secret] } });
    for (const key of ["new", secret])
      expect((await send(delivery(good, { "X-Hub-Signature-256": `sha256=${sign(good, key)}` }))).status).toBe(202);
    const old = delivery(good, { "X-Hub-Signature-256": `sha256=${sign(good, "old")}` });
    expect((await send(old)).status).toBe(401);
  });

  test("is signed by the forge's own header where there is no other", async () => {
    const { send } = setUp();
    const headers = { "X-Hub-Signature-256": "", "X-Forgejo-Signature": sign(good) };
    expect((await send(delivery(good, headers))).status).toBe(202);
  });

  test("without a repository, or with an event of no interest, is stored too", async () => {
    const { send, stored } = setUp();
    const headers = { "X-Forgejo-Event": "wiki", "X-Forgejo-Event-Type": "wiki" };
    expect((await send(delivery('{"action":"created"}', headers))).status).toBe(202);
    expect(stored).toHaveLength(1);
  });
});

describe("a webhook is refused", () => {
  const wrong = `sha256=${"0".repeat(64)}`;

  test.each<[string, Record<string, string>]>([
    ["missing", { "X-Hub-Signature-256": "" }],
    ["empty, as Forgejo sends it without a secret", { "X-Hub-Signature-256": "sha256=" }],
    ["wrong", { "X-Hub-Signature-256": wrong }],
    ["no hex", { "X-Hub-Signature-256": `sha256=${"g".repeat(64)}` }],
    ["cut short", { "X-Hub-Signature-256": `sha256=${sign(good).slice(1)}` }],
    ["without its prefix", { "X-Hub-Signature-256": sign(good) }],
    ["wrong beside another that is right", { "X-Hub-Signature-256": wrong, "X-Forgejo-Signature": sign(good) }],
    ["that of another body", { "X-Hub-Signature-256": `sha256=${sign(`${good} `)}` }],
    ["made with an empty secret", { "X-Hub-Signature-256": `sha256=${sign(good, "")}` }],
  ])("with 401 where its signature is %s", async (_, change) => {
    const { send, stored, answers } = setUp({ hooks: { secrets: [secret, ""] } });
    const { status, body } = await send(delivery(good, change));
    expect(status).toBe(401);
    expect(body["hint"]).toBe("Set the same secret in the forge's webhook and in the variable WIDGETS_SECRET.");
    expect(stored).toEqual([]);
    expect(answers).toMatchObject([{ status: 401, delivery: null }]);
  });

  test("with 404 where its forge or hook is unknown, and nothing is said of the others", async () => {
    const { send } = setUp();
    for (const [forge, hookId] of [
      ["home", "gadgets"],
      ["away", "widgets"],
      ["__proto__", "constructor"],
    ]) {
      const { status, body } = await send(delivery(good), forge, hookId);
      expect(status).toBe(404);
      expect(JSON.stringify(body)).not.toContain("WIDGETS");
    }
  });

  test("with 405 where it is no POST", async () => {
    const { send } = setUp();
    expect(await send(new Request("http://h/"))).toMatchObject({ status: 405 });
  });

  test.each<[string, string | Uint8Array<ArrayBuffer>, string]>([
    ["no JSON", "action=opened", "not JSON"],
    ["empty", "", "not JSON"],
    ["no object", "[1]", "no object"],
    ["null", "null", "no object"],
    ["JSON with more behind it", `${good}x`, "not JSON"],
    ["bad UTF-8", new Uint8Array([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]), "not UTF-8"],
    ["a surrogate in UTF-8", new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]), "not UTF-8"],
    ["deep", `${'{"a":'.repeat(65)}1${"}".repeat(65)}`, "nested deeper"],
    ["deep in arrays", `{"a":${"[".repeat(64)}${"]".repeat(64)}}`, "nested deeper"],
    ["500,000 levels deep", "[".repeat(500_000), "nested deeper"],
    ["deep behind a text that looks like an end", `{"\\"":"]]]]","b":${"[".repeat(64)}`, "nested deeper"],
  ])("with 400 where its body is %s", async (_, raw, error) => {
    const { send, stored } = setUp();
    const bytes = new Uint8Array(await new Response(raw).arrayBuffer());
    const { status, body } = await send(delivery(bytes));
    expect(status).toBe(400);
    expect(body["error"]).toContain(error);
    expect(stored).toEqual([]);
  });

  test("not for 64 levels, and not for brackets inside of texts", async () => {
    const { send } = setUp();
    const deep = `${'{"a":'.repeat(64)}1${"}".repeat(64)}`;
    expect((await send(delivery(deep))).status).toBe(202);
    const text = JSON.stringify({ body: `${"[".repeat(200)}"\\${"{".repeat(200)}` });
    expect((await send(delivery(text))).status).toBe(202);
  });

  test("with what to do where the forge sends a form", async () => {
    const { send } = setUp();
    const { status, body } = await send(delivery("payload=1", { "Content-Type": "application/x-www-form-urlencoded" }));
    expect(status).toBe(400);
    expect(body["hint"]).toContain("application/json");
  });

  test.each(Object.keys(names))("with 400 without %s", async (name) => {
    const { send, stored } = setUp();
    for (const value of ["", "a b", "x".repeat(101)]) {
      const { status, body } = await send(delivery(good, { [name]: value }));
      expect(status).toBe(400);
      expect(body["error"]).toContain(name.toLowerCase());
    }
    expect(stored).toEqual([]);
  });

  test.each([
    ["at its top", { repository: { id: 8 } }],
    ["in its run", { run: { repository: { id: 8 } } }],
    ["in its run behind another", { repository: { id: 7 }, run: { repository: { id: 8 } } }],
  ])("with 403 where it names another repository %s", async (_, payload) => {
    const { send, stored } = setUp();
    const { status, body } = await send(delivery(JSON.stringify(payload)));
    expect(status).toBe(403);
    expect(body["error"]).toContain("id 8, and this hook is for 7");
    expect(stored).toEqual([]);
  });

  test("with 503 and Retry-After where too much waits, with 500 where the store fails", async () => {
    const full = setUp({ store: () => Promise.reject(new QueueFull("full")) });
    const refused = await full.send(delivery(good));
    expect(refused.status).toBe(503);
    expect(refused.headers.get("Retry-After")).toBe("5");
    const cause = new Error("disk full at /secret/place");
    const broken = setUp({ store: () => Promise.reject(cause) });
    const failed = await broken.send(delivery(good));
    expect(failed.status).toBe(500);
    expect(JSON.stringify(failed.body)).not.toContain("/secret/place");
    expect(broken.answers[0]?.cause).toBe(cause);
  });
});
