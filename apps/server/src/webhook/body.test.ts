import { describe, expect, test } from "bun:test";
import { delivery, good, names, post, setUp } from "./testing/set-up.ts";

describe("a body", () => {
  const mebibyte = new Uint8Array(1024 * 1024).fill(0x20);

  /** How many chunks were taken from it, and whether it was told to stop. */
  function endless() {
    const seen = { chunks: 0, cancelled: false };
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        seen.chunks += 1;
        controller.enqueue(mebibyte);
      },
      cancel() {
        seen.cancelled = true;
      },
    });
    return { body, seen };
  }

  test("that says it is larger than 4 MiB is refused before any of it is read", async () => {
    const { send } = setUp();
    const { body, seen } = endless();
    const headers = { "Content-Length": String(4 * 1024 * 1024 + 1) };
    expect(
      (await send(post(body, { ...names, ...headers, "X-Hub-Signature-256": `sha256=${"0".repeat(64)}` }))).status,
    ).toBe(413);
    expect(seen.chunks).toBeLessThanOrEqual(1);
  });

  test.each(["", "10", "-1", "many"])(
    "that is larger than it says (%j) is read no further than that",
    async (length) => {
      const { send } = setUp();
      const { body, seen } = endless();
      const request = post(body, { ...names, "X-Hub-Signature-256": `sha256=${"0".repeat(64)}` });
      if (length !== "") request.headers.set("Content-Length", length);
      expect((await send(request)).status).toBe(413);
      expect(seen.chunks).toBeLessThanOrEqual(6);
      expect(seen.cancelled).toBe(true);
    },
  );

  test("of exactly 4 MiB is taken", async () => {
    const { send } = setUp();
    const body = good.padEnd(4 * 1024 * 1024, " ");
    expect((await send(delivery(body))).status).toBe(202);
    expect((await send(delivery(`${body} `))).status).toBe(413);
  });

  test("that does not arrive in time is refused with 408", async () => {
    const { send, clock } = setUp();
    const silent = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(mebibyte.slice(0, 1)) });
    const answer = send(post(silent, { ...names, "X-Hub-Signature-256": `sha256=${"0".repeat(64)}` }));
    await clock.advance(9_999);
    expect(clock.pending()).toBe(1);
    await clock.advance(1);
    expect((await answer).status).toBe(408);
  });

  test("that is cut off is refused with 400", async () => {
    const { send, answers } = setUp();
    const cut = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("reset")) });
    const answer = await send(post(cut, { ...names, "X-Hub-Signature-256": `sha256=${"0".repeat(64)}` }));
    expect(answer).toMatchObject({ status: 400 });
    expect(answers[0]?.error).toBe("the body was cut off");
  });
});
