import { describe, expect, test } from "bun:test";
import { failed, init, result, sessionId, text } from "./testing/fakes.ts";
import { fresh, says, world } from "./testing/world.ts";

describe("how a run ends", () => {
  test("not at the first result while background tasks are under way, nor while messages wait", async () => {
    const ends: number[] = [];
    const { run } = world(
      [
        async function* (doings) {
          yield init;
          yield { kind: "background", tasks: 1 };
          yield result({ text: "first", turns: 1 });
          ends.push(doings.ends);
          yield { kind: "background", tasks: 0 };
          yield init;
          yield result({ text: "second", turns: 1, queued: 1 });
          ends.push(doings.ends);
          yield init;
          yield result({ text: "third", turns: 1 });
          ends.push(doings.ends);
        },
      ],
      fresh,
    );
    expect(await run()).toMatchObject({ kind: "completed", report: { summary: "third", turns: 3, costUsd: 0.5 } });
    expect(ends).toEqual([0, 0, 1]);
  });

  test("a background task that stops without another turn: the input is closed after a while", async () => {
    const { run, timers } = world(
      [
        async function* (doings) {
          yield init;
          yield { kind: "background", tasks: 1 };
          yield result();
          yield { kind: "background", tasks: 0 };
          await timers.advance(999);
          expect(doings.ends).toBe(0);
          await timers.advance(1);
          expect(doings.ends).toBe(1);
        },
      ],
      fresh,
    );
    expect(await run()).toMatchObject({ kind: "completed" });
  });

  test("a background task that never ends, as a server: completed all the same, once all is silent", async () => {
    const { run, timers, runtime } = world(
      [
        async function* (_, killed) {
          yield init;
          yield { kind: "background", tasks: 1 };
          yield result();
          await timers.advance(10_000);
          await killed;
          throw new Error("killed");
        },
      ],
      fresh,
    );
    expect(await run()).toMatchObject({ kind: "completed" });
    expect(runtime.started[0]).toMatchObject({ kills: 1 });
  });

  test("a process that does not leave after its work: killed, and completed", async () => {
    const { run, timers } = world(
      [
        async function* (_, killed) {
          yield init;
          yield result();
          await timers.advance(1_000);
          await killed;
          throw new Error("killed");
        },
      ],
      fresh,
    );
    expect(await run()).toMatchObject({ kind: "completed" });
  });

  test("silence: killed at once, and stalled; every message begins the wait anew", async () => {
    const { run, timers, runtime } = world(
      [
        async function* (_, killed) {
          yield init;
          for (let i = 0; i < 4; i++) {
            await timers.advance(9_999);
            yield { kind: "other", type: "x" };
          }
          await timers.advance(10_000);
          await killed;
        },
      ],
      fresh,
    );
    expect(await run()).toMatchObject({
      kind: "failed",
      failure: { kind: "agent-stalled", afterMs: 10_000 },
      session: sessionId,
    });
    expect(runtime.started[0]).toMatchObject({ kills: 1, interrupts: 0 });
  });

  test("the deadline: asked to stop first, and its last words are taken", async () => {
    const { run, timers, runtime } = world(
      [
        async function* (doings) {
          yield init;
          for (let i = 0; i < 10; i++) {
            await timers.advance(6_000);
            yield text("working");
          }
          expect(doings.interrupts).toBe(1);
          yield failed({ text: "interrupted", reason: "aborted_tools" });
          expect(doings.ends).toBe(1);
        },
      ],
      fresh,
    );
    expect(await run()).toMatchObject({
      kind: "failed",
      failure: { kind: "agent-timeout", afterMs: 60_000 },
      report: { summary: "interrupted" },
    });
    expect(runtime.started[0]?.kills).toBe(0);
  });

  test("the deadline, and it does not stop: killed after the grace", async () => {
    const { run, timers, runtime } = world(
      [
        async function* (_, killed) {
          yield init;
          for (let i = 0; i < 7; i++) {
            await timers.advance(9_000);
            yield text("working");
          }
          await killed;
        },
      ],
      fresh,
    );
    expect(await run()).toMatchObject({ kind: "failed", failure: { kind: "agent-timeout" }, report: null });
    expect(runtime.started[0]).toMatchObject({ kills: 1, interrupts: 1 });
  });

  test("the service stops: interrupted, so that it can be taken up again", async () => {
    const { run, stopping, runtime } = world(
      [
        async function* () {
          yield init;
          stopping.abort();
          yield failed({ reason: "aborted_streaming" });
        },
      ],
      fresh,
    );
    expect(await run()).toMatchObject({
      kind: "failed",
      failure: { kind: "interrupted", retryable: true },
      session: sessionId,
    });
    expect(runtime.started[0]?.interrupts).toBe(1);
  });

  test("the service stops before the start: no process", async () => {
    const { run, stopping, runtime } = world([], fresh);
    stopping.abort();
    expect(await run()).toMatchObject({ kind: "failed", failure: { kind: "interrupted" }, session: null });
    expect(runtime.started).toHaveLength(0);
  });

  test("work that was done when the stop came is done", async () => {
    const { run, stopping } = world(
      [
        async function* () {
          yield init;
          yield result();
          stopping.abort();
        },
      ],
      fresh,
    );
    expect(await run()).toMatchObject({ kind: "completed" });
  });

  test.each([401, 403])(
    "the model refuses the key (%i): killed at the first refusal, not after ten tries",
    async (status) => {
      const { run, runtime } = world(
        [
          async function* (_, killed) {
            yield init;
            yield { kind: "api-retry", attempt: 1, status, error: "authentication_failed" };
            await killed;
          },
        ],
        fresh,
      );
      expect(await run()).toMatchObject({
        failure: {
          kind: "model-unauthorized",
          retryable: false,
          detail: expect.stringContaining(`refused the service's credential (${status}`),
        },
      });
      expect(runtime.started[0]?.kills).toBe(1);
    },
  );

  test("nothing is left waiting when a run is over", async () => {
    const { run, timers, stopping, runtime } = world([says(init, result())], fresh);
    await run();
    stopping.abort();
    expect(timers.pending()).toBe(0);
    await timers.advance(10_000_000);
    expect(runtime.started[0]).toMatchObject({ interrupts: 0, kills: 0 });
  });
});
