import { expect, test } from "bun:test";
import { ServiceLog } from "./service-log.ts";

const info = '{"level":30,"time":1,"msg":"delivery stored","deliveryId":"d1"}';
const error =
  '{"level":50,"time":2,"msg":"it failed","error":{"type":"Error","message":"the disk is full","stack":"Error: the disk is full\\n    at write (a.ts:1:2)\\n    at b"}}';

const bytes = (...chunks: string[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });

test("lines are read whole however they come, and shown for people", async () => {
  const log = new ServiceLog();
  await log.read(bytes(info.slice(0, 20), `${info.slice(20)}\n${error}\nclaude-hooks: the ja`, "il needs bwrap"));
  expect(log.tail(10)).toEqual([
    'info delivery stored deliveryId="d1"',
    "error it failed the disk is full (at write (a.ts:1:2))",
    "claude-hooks: the jail needs bwrap",
  ]);
});

test("the tail is the newest lines", () => {
  const log = new ServiceLog();
  for (let line = 1; line <= 1_000; line += 1) log.add(String(line));
  expect(log.tail(3)).toEqual(["998", "999", "1000"]);
});

test("the last words are errors, and what is written beside the log", () => {
  const log = new ServiceLog();
  for (const line of [info, error, "claude-hooks: why", info]) log.add(line);
  expect(log.lastWords()).toEqual(["error it failed the disk is full (at write (a.ts:1:2))", "claude-hooks: why"]);
});
