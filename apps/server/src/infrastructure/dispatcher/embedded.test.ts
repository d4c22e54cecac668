import { expect, test } from "bun:test";
import type { LaneKey } from "../../domain/ids.ts";
import { type Log, silentLog } from "../../domain/log.ts";
import { type ManualClock, manualClock } from "../clock.ts";
import { createEmbeddedDispatcher, type Dispatcher, type EmbeddedOptions, type LaneResult } from "./embedded.ts";

const a = "dev:a" as LaneKey;
const b = "dev:b" as LaneKey;
const c = "dev:c" as LaneKey;

interface Call {
  lane: LaneKey;
  at: number;
  signal: AbortSignal;
  end(result: LaneResult): Promise<void>;
  fail(): Promise<void>;
}

interface Bench {
  clock: ManualClock;
  dispatcher: Dispatcher;
  calls: Call[];
  start: number;
}

function bench(options: Partial<EmbeddedOptions> = {}): Bench {
  const clock = manualClock();
  const calls: Call[] = [];
  const defaults = { clock, timers: clock, log: silentLog, due: async () => [], concurrency: 10 };
  const dispatcher = createEmbeddedDispatcher({ ...defaults, ...options });
  dispatcher.work((lane, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<LaneResult>();
    const end = async (result: LaneResult) => (resolve(result), clock.advance(0));
    const fail = async () => (reject(new Error("broken")), clock.advance(0));
    calls.push({ lane, at: clock.now(), signal, end, fail });
    return promise;
  });
  return { clock, dispatcher, calls, start: clock.now() };
}

const lanes = (calls: readonly Call[]) => calls.map(({ lane }) => lane);

test("a lane that is woken for now is worked on at once", () => {
  const it = bench();
  it.dispatcher.wake(a, it.start);
  expect(lanes(it.calls)).toEqual([a]);
});

test("a lane that is woken for later is worked on then, and the earliest of its times counts", async () => {
  const it = bench();
  it.dispatcher.wake(a, it.start + 9_000);
  it.dispatcher.wake(a, it.start + 5_000);
  it.dispatcher.wake(a, it.start + 7_000);
  await it.clock.advance(4_999);
  expect(it.calls).toEqual([]);
  await it.clock.advance(60_000);
  expect(it.calls.map(({ at }) => at)).toEqual([it.start + 5_000]);
});

test("a lane never has two handlers, and a wake-up meanwhile is not lost", async () => {
  const it = bench();
  it.dispatcher.wake(a, it.start);
  it.dispatcher.wake(a, it.start);
  it.dispatcher.wake(a, it.start);
  await it.clock.advance(5_000);
  expect(it.calls).toHaveLength(1);
  await it.calls[0]!.end("idle");
  expect(it.calls).toHaveLength(2);
  await it.calls[1]!.end("idle");
  await it.clock.advance(60_000);
  expect(it.calls).toHaveLength(2);
});

test("no more lanes run at once than allowed, and the others follow by how long they are due", async () => {
  const it = bench({ concurrency: 1 });
  it.dispatcher.wake(b, it.start);
  it.dispatcher.wake(c, it.start - 1_000);
  it.dispatcher.wake(a, it.start - 2_000);
  expect(lanes(it.calls)).toEqual([b]);
  await it.calls[0]!.end("idle");
  await it.calls[1]!.end("idle");
  expect(lanes(it.calls)).toEqual([b, a, c]);
});

test("a lane that has more to do waits behind those that are due", async () => {
  const it = bench({ concurrency: 1 });
  it.dispatcher.wake(a, it.start);
  it.dispatcher.wake(b, it.start);
  await it.clock.advance(10);
  await it.calls[0]!.end("again");
  await it.calls[1]!.end("idle");
  await it.calls[2]!.end("idle");
  expect(lanes(it.calls)).toEqual([a, b, a]);
});

test("a handler that only says again does not keep the event loop to itself", async () => {
  const clock = manualClock();
  let calls = 0;
  const dispatcher = createEmbeddedDispatcher({
    clock,
    timers: clock,
    log: silentLog,
    due: async () => [],
    concurrency: 1,
  });
  dispatcher.work(async () => (++calls, "again"));
  dispatcher.wake(a, clock.now());
  await new Promise((resolve) => setImmediate(resolve));
  expect(calls).toBe(1);
});

test("what nobody woke is found by the scan, every second", async () => {
  let found: { lane: LaneKey; at: number }[] = [];
  const it = bench({ due: async () => found });
  await it.clock.advance(10);
  found = [{ lane: a, at: it.start }];
  await it.clock.advance(1_000);
  expect(lanes(it.calls)).toEqual([a]);
  await it.clock.advance(5_000);
  expect(it.calls).toHaveLength(1);
});

test("what is due at the start is found without waiting", async () => {
  const it = bench({ due: async () => [{ lane: a, at: 0 }] });
  await it.clock.advance(0);
  expect(lanes(it.calls)).toEqual([a]);
});

test("scans do not overlap, and one that fails is said and tried again", async () => {
  const errors: string[] = [];
  const log: Log = { ...silentLog, error: (_, text) => void errors.push(text) };
  const asked: PromiseWithResolvers<readonly []>[] = [];
  const it = bench({
    log,
    due: () => {
      const answer = Promise.withResolvers<readonly []>();
      asked.push(answer);
      return answer.promise;
    },
  });
  await it.clock.advance(60_000);
  expect(asked).toHaveLength(1);
  asked[0]!.reject(new Error("gone"));
  await it.clock.advance(1_000);
  expect(asked).toHaveLength(2);
  expect(errors).toEqual(["cannot ask the database what is due; asking again"]);
});

test("a handler that throws is logged and tried again later and later, however often it is woken", async () => {
  const errors: unknown[] = [];
  const log: Log = { ...silentLog, error: (fields) => void errors.push(fields["backoffMs"]) };
  const it = bench({ log, due: async () => [{ lane: a, at: 0 }] });
  await it.clock.advance(0);
  for (let round = 0; round < 9; round++) {
    await it.calls.at(-1)!.fail();
    it.dispatcher.wake(a, it.clock.now());
    await it.clock.advance(999);
    expect(it.calls).toHaveLength(round + 1);
    await it.clock.advance(60_000);
  }
  expect(errors).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  expect(it.calls).toHaveLength(10);
});

test("a success forgets the faults before it", async () => {
  const it = bench();
  it.dispatcher.wake(a, it.start);
  await it.calls[0]!.fail();
  await it.clock.advance(1_000);
  await it.calls[1]!.end("idle");
  it.dispatcher.wake(a, it.clock.now());
  await it.calls[2]!.fail();
  await it.clock.advance(1_000);
  expect(it.calls).toHaveLength(4);
});

test("a handler that throws before its first await is a fault like any other", async () => {
  const clock = manualClock();
  let calls = 0;
  const dispatcher = createEmbeddedDispatcher({
    clock,
    timers: clock,
    log: silentLog,
    due: async () => [],
    concurrency: 1,
  });
  dispatcher.work(() => {
    calls += 1;
    throw new Error("at once");
  });
  dispatcher.wake(a, clock.now());
  await clock.advance(1_000);
  expect(calls).toBe(2);
});

test("a fault of one lane holds up no other", async () => {
  const it = bench({ concurrency: 1 });
  it.dispatcher.wake(a, it.start);
  await it.calls[0]!.fail();
  it.dispatcher.wake(b, it.start);
  expect(lanes(it.calls)).toEqual([a, b]);
});

test("stopping lets what runs end, starts nothing more and leaves no timer", async () => {
  const it = bench({ concurrency: 1 });
  it.dispatcher.wake(a, it.start);
  it.dispatcher.wake(b, it.start);
  const stopped = it.dispatcher.stop(30_000);
  it.dispatcher.wake(c, it.start);
  await it.calls[0]!.end("again");
  expect(await stopped).toEqual([]);
  expect(it.calls[0]!.signal.aborted).toBe(false);
  await it.clock.advance(60_000);
  expect(lanes(it.calls)).toEqual([a]);
  expect(it.clock.pending()).toBe(0);
});

test("after the grace what still runs is aborted, and may come to an end", async () => {
  const it = bench();
  it.dispatcher.wake(a, it.start);
  const stopped = it.dispatcher.stop(30_000);
  await it.clock.advance(29_999);
  expect(it.calls[0]!.signal.aborted).toBe(false);
  await it.clock.advance(1);
  expect(it.calls[0]!.signal.aborted).toBe(true);
  await it.calls[0]!.fail();
  expect(await stopped).toEqual([]);
});

test("a lane that does not come to an end is named, and stopping ends all the same", async () => {
  const it = bench({ abortMs: 500 });
  it.dispatcher.wake(a, it.start);
  it.dispatcher.wake(b, it.start);
  const stopped = it.dispatcher.stop(1_000);
  await it.calls[1]!.end("idle");
  await it.clock.advance(1_500);
  expect(await stopped).toEqual([a]);
});

test("a second handler is refused", () => {
  const it = bench();
  expect(() => it.dispatcher.work(async () => "idle")).toThrow("already");
});
