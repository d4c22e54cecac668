import { describe, expect, test } from "bun:test";
import { manualClock, systemTimers } from "./clock.ts";

describe("the clock of tests", () => {
  test("stands still until it is told, and jumps without firing a timer", () => {
    const clock = manualClock(1_000);
    let fired = 0;
    clock.after(10, () => fired++);
    clock.set(99_000);
    expect(clock.now()).toBe(99_000);
    clock.set(5);
    expect(clock.now()).toBe(5);
    expect([fired, clock.pending()]).toEqual([0, 1]);
  });

  test("fires timers in the order of their times, each at its own, also those that a timer sets", async () => {
    const clock = manualClock(0);
    const fired: [string, number][] = [];
    clock.after(20, () => fired.push(["late", clock.now()]));
    clock.after(10, () => {
      fired.push(["early", clock.now()]);
      clock.after(5, () => fired.push(["between", clock.now()]));
      clock.after(50, () => fired.push(["never", clock.now()]));
    });
    await clock.advance(30);
    expect(fired).toEqual([
      ["early", 10],
      ["between", 15],
      ["late", 20],
    ]);
    expect(clock.now()).toBe(30);
  });

  test("waits for what a timer started before the next one fires", async () => {
    const clock = manualClock(0);
    const seen: string[] = [];
    clock.after(1, () => void Promise.resolve().then(() => seen.push("first, later")));
    clock.after(2, () => seen.push("second"));
    await clock.advance(5);
    expect(seen).toEqual(["first, later", "second"]);
  });

  test("forgets a timer that is cancelled", async () => {
    const clock = manualClock(0);
    let fired = 0;
    clock.after(1, () => fired++)();
    await clock.advance(5);
    expect([fired, clock.pending()]).toEqual([0, 0]);
  });
});

describe("real timers", () => {
  test("fire, also when the time has passed", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    systemTimers.after(-5, resolve);
    await promise;
  });

  test("do not fire at once where the delay is longer than the system's longest", async () => {
    let fired = false;
    const cancel = systemTimers.after(2 ** 40, () => (fired = true));
    const { promise, resolve } = Promise.withResolvers<void>();
    systemTimers.after(5, resolve);
    await promise;
    cancel();
    expect(fired).toBe(false);
  });
});
