import { describe, expect, test } from "bun:test";
import type { SessionId } from "../domain/ids.ts";
import { manualClock } from "../infrastructure/clock.ts";
import { runAgent } from "./agent-runner.ts";
import { type FakeScript, failed, init, result, sessionId, text } from "./testing/fakes.ts";
import { diesAfter, expired, fresh, resumed, says, world } from "./testing/world.ts";

const gone = failed({
  text: "No conversation found with session ID: 6f1a",
  reason: "error_during_execution",
  turns: 0,
  totals: null,
});

describe("how a run begins", () => {
  test("without a session: fresh, one process, and the id is kept before the agent works and again at the end", async () => {
    const seenAtText: number[] = [];
    const { run, runtime, happened, timers } = world(
      [
        async function* () {
          yield init;
          seenAtText.push(happened.length);
          await timers.advance(500);
          yield text("hi");
          yield result();
        },
      ],
      fresh,
    );
    expect(await run()).toEqual({
      kind: "completed",
      report: { summary: "done", turns: 2, costUsd: 0.5, inputTokens: 100, outputTokens: 20 },
      session: sessionId,
      start: fresh.start,
    });
    expect(seenAtText).toEqual([1]);
    expect(happened).toEqual([
      ["keep", sessionId, 1_000_000_000, null],
      ["keep", sessionId, 1_000_000_500, { costUsd: 0.5, inputTokens: 100, outputTokens: 20 }],
    ]);
    expect(runtime.started).toMatchObject([
      { start: { resume: null }, pushed: ["fresh: none"], ends: 1, disposed: true },
    ]);
  });

  test("with an expired one, whose row is gone: no process is spent on it", async () => {
    const { run, runtime } = world([says(init, result())], expired);
    expect(await run()).toMatchObject({ kind: "completed", start: expired.start });
    expect(runtime.started).toMatchObject([{ start: { resume: null }, pushed: ["fresh: expired"] }]);
  });

  test.each([
    ["transcript-missing", "transcript-missing"],
    ["transcript-full", null],
  ] as const)("with one that is given up (%s): dropped, and no process is spent on it", async (reason, counts) => {
    const start = { kind: "fresh", reason, detail: "why" } as const;
    const dead = "dead" as SessionId;
    const { run, runtime, happened } = world([says(init, result())], {
      start,
      resume: null,
      drop: { session: dead, counts },
    });
    expect(await run()).toMatchObject({ kind: "completed", session: sessionId, start });
    expect(happened.slice(0, counts === null ? 1 : 2)).toEqual([
      ...(counts === null ? [] : [["count", counts]]),
      ["drop", dead],
    ]);
    expect(runtime.started).toMatchObject([{ start: { resume: null }, pushed: [`fresh: ${reason}`] }]);
  });

  test("with one: resumed, and only what this run added is reported", async () => {
    const before = { costUsd: 0.375, inputTokens: 60, outputTokens: 15 };
    const { run, runtime } = world([says(init, result())], resumed, before);
    expect(await run()).toMatchObject({
      kind: "completed",
      report: { costUsd: 0.125, inputTokens: 40, outputTokens: 5 },
      start: { kind: "resumed", lastUsedAt: 7 },
    });
    expect(runtime.started).toMatchObject([{ start: { resume: sessionId }, pushed: ["resumed"] }]);
  });

  const lost = [
    ["not-found", "No conversation found with session ID: 6f1a"],
    ["invalid-id", 'Error: --resume requires a valid session ID or session title when used with --print. Usage: …"'],
  ] as const;
  test.each(lost)("lost (%s): counted, dropped, and begun afresh once in the same run", async (reason, words) => {
    const next = "6f1a1c1e-7a43-4f0e-9d0b-0a7d2a6f0002" as SessionId;
    const { run, runtime, happened, prompts } = world(
      [diesAfter("exit 1", { ...gone, text: words }), says({ ...init, session: next }, result())],
      resumed,
      { costUsd: 9, inputTokens: 9, outputTokens: 9 },
    );
    expect(await run()).toEqual({
      kind: "completed",
      report: { summary: "done", turns: 2, costUsd: 0.5, inputTokens: 100, outputTokens: 20 },
      session: next,
      start: { kind: "fresh", reason: "resume-failed", detail: words },
    });
    expect(happened.slice(0, 3)).toEqual([
      ["count", reason],
      ["drop", sessionId],
      ["keep", next, 1_000_000_000, null],
    ]);
    expect(runtime.started.map(({ start, pushed }) => [start.resume, pushed])).toEqual([
      [sessionId, ["resumed"]],
      [null, ["fresh: resume-failed"]],
    ]);
    expect(prompts.map(({ kind }) => kind)).toEqual(["resumed", "fresh"]);
  });

  test("lost, and the fresh start fails too: that is the run's failure, and nothing is tried a third time", async () => {
    const { run, runtime } = world([says(gone), diesAfter("exit 1")], resumed);
    expect(await run()).toMatchObject({
      kind: "failed",
      failure: { kind: "agent-crashed" },
      session: null,
      start: { kind: "fresh", reason: "resume-failed" },
    });
    expect(runtime.started).toHaveLength(2);
  });

  const others: [string, FakeScript][] = [
    ["a crash before a word", diesAfter("killed by SIGKILL")],
    [
      "a failed start of another kind",
      says(failed({ text: "cwd unavailable", turns: 0, reason: "error_during_execution" })),
    ],
    ["a refusal by the API", says(init, failed({ reason: "api_error", apiStatus: 401 }))],
    ["the words, but after the agent worked", says(init, { ...gone, turns: 3 })],
    ["the words, of a process that took turns", says({ ...gone, turns: 3 })],
    ["the words, said by the agent", says(init, text(gone.text), result({ text: gone.text, turns: 0 }))],
    ["the words of an agent that has a session", says(init, gone)],
  ];
  test.each(others)("%s neither drops the session nor counts nor starts another process", async (_, script) => {
    const { run, runtime, happened } = world([script], resumed);
    expect(await run()).toMatchObject({ start: resumed.start });
    expect(happened.filter((event) => !(event as string[])[0]?.startsWith("keep"))).toEqual([]);
    expect(runtime.started).toHaveLength(1);
  });

  test("a failed run keeps its session and says what it cost", async () => {
    const { run, happened } = world([says(init, failed({ reason: "max_turns" }))], fresh);
    expect(await run()).toMatchObject({
      kind: "failed",
      failure: { kind: "turn-limit", retryable: false },
      session: sessionId,
      report: { costUsd: 0.5, turns: 2 },
    });
    expect(happened).toHaveLength(2);
  });

  test("a session row that cannot be kept ends the process and is not taken for the agent's failure", async () => {
    const { runtime, request } = world([says(init, result())], fresh);
    const timers = manualClock();
    const sessions = { keep: () => Promise.reject(new Error("disk full")), drop: async () => {} };
    const deps = { runtime, timers, clock: { now: () => 0 }, sessions, countResumeFailure: async () => {} };
    const failure = await runAgent(deps, request, new AbortController().signal).catch((error: Error) => error.message);
    expect(failure).toBe("disk full");
    expect(runtime.started[0]?.disposed).toBe(true);
  });
});
