import { expect, test } from "bun:test";
import { createChanges } from "./changes.ts";
import { manualClock } from "./clock.ts";

test("whoever waits is woken by news of its key, and by no other", async () => {
  const changes = createChanges(manualClock());
  const woken: string[] = [];
  const a = changes.next("a", 1_000).then(() => woken.push("a"));
  void changes.next("b", 1_000).then(() => woken.push("b"));
  changes.notify("a");
  await a;
  expect(woken).toEqual(["a"]);
});

test("waiting ends with time, with the signal, and at once where the signal has aborted", async () => {
  const clock = manualClock();
  const changes = createChanges(clock);
  const late = changes.next("a", 1_000);
  await clock.advance(1_000);
  await late;
  const stop = new AbortController();
  const stopped = changes.next("a", 1_000, stop.signal);
  stop.abort();
  await stopped;
  await changes.next("a", 1_000, stop.signal);
  expect(stop.signal.aborted).toBe(true);
});
