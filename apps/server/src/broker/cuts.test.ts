import { describe, expect, test } from "bun:test";
import { createServer } from "node:http";
import { connect } from "node:net";
import {
  brokerFor,
  cleanups,
  failureOf,
  messageStart,
  nextReport,
  openRun,
  post,
  sse,
  upstream,
} from "./testing/fixture.ts";

describe("answers that do not end", () => {
  test("a stream that the model cuts is cut for the agent too, and what came before counts", async () => {
    const cut = Promise.withResolvers<void>();
    const server = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(sse(messageStart));
      void cut.promise.then(() => response.destroy());
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    cleanups.push(() => server.close());
    const { broker } = await brokerFor(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
    const socket = await openRun(broker);
    const reported = nextReport(broker);
    const reader = (await post(socket)).body!.getReader();
    await reader.read();
    cut.resolve();
    expect(await failureOf(reader.read())).not.toBe("it did not fail");
    expect(await reported).toMatchObject({ cut: true, usage: { inputTokens: 12, outputTokens: 1 } });
  });

  test("an agent that hangs up ends the model's answer; one that reads slowly slows it down", async () => {
    let pulled = 0;
    const gone = Promise.withResolvers<void>();
    const piece = new Uint8Array(64 * 1024);
    const model = upstream(
      () =>
        new Response(
          new ReadableStream(
            {
              pull(controller) {
                pulled += 1;
                controller.enqueue(piece);
              },
              cancel: () => gone.resolve(),
            },
            { highWaterMark: 0 },
          ),
          { headers: { "content-type": "text/event-stream" } },
        ),
    );
    const { broker } = await brokerFor(model.baseUrl);
    const socket = await openRun(broker);
    const reported = nextReport(broker);
    const agent = connect(socket);
    agent.write("POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}");
    await new Promise((resolve) => agent.once("data", resolve));
    agent.pause();
    // Settled when a whole interval brings nothing more.
    for (let before = -1; before !== pulled; ) {
      before = pulled;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect(pulled * piece.length).toBeLessThan(64 * 1024 * 1024);
    agent.destroy();
    await gone.promise;
    expect(await reported).toMatchObject({ cut: true, usage: null });
  });
});
