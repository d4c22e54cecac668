import { expect, test } from "bun:test";
import { DemoFailure, Interrupted } from "./failure.ts";
import { Watch } from "./watch.ts";

test("the first answer ends the wait", async () => {
  let looks = 0;
  const found = await new Watch(60_000, new AbortController().signal).until("it", () => {
    looks += 1;
    return looks === 3 ? "there" : undefined;
  });
  expect(found).toBe("there");
});

test("what does not come in time is named", async () => {
  const waiting = new Watch(0, new AbortController().signal).until("the pull request", () => undefined);
  expect(await waiting.catch((error: unknown) => error)).toEqual(
    new DemoFailure("waited 0 s for the pull request, in vain"),
  );
});

test("the end of everything ends the wait, with its reason", async () => {
  const ending = new AbortController();
  const reason = new Interrupted("stop");
  const waiting = new Watch(60_000, ending.signal).until("it", () => {
    setImmediate(() => ending.abort(reason));
    return undefined;
  });
  expect(await waiting.catch((error: unknown) => error)).toBe(reason);
});
