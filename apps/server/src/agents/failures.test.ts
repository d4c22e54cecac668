import { describe, expect, test } from "bun:test";
import type { ResultMessage } from "./agent-runtime.ts";
import { failureOf } from "./failures.ts";
import { nothingSeen, type Seen } from "./seen.ts";
import { failed, result } from "./testing/fakes.ts";

const bounds = { deadlineMs: 1, stallMs: 2, graceMs: 3 };
const now = 1_000_000_000_000;
const day = 86_400_000;

const failureFor = (changes: Partial<Seen>, limitedUntil: number | null = null) =>
  failureOf({ ...nothingSeen(), silent: false, ...changes }, bounds, { now, limitedUntil: () => limitedUntil });

const ending = (changes: Partial<ResultMessage>, seen: Partial<Seen> = {}) =>
  failureFor({ result: failed(changes), resting: true, ...seen });
const apiError = (status: number | null, error = "unknown") => ({ reason: "api_error", apiStatus: status, error });

describe("what an agent's end means", () => {
  test("a good result with nothing after it is no failure", () => {
    expect(failureFor({ result: result(), resting: true })).toBeNull();
  });
  test("a good result, and then the agent broke in the next turn, is one", () => {
    expect(failureFor({ result: result(), resting: false, error: "exit 1" })).toMatchObject({ kind: "agent-crashed" });
  });

  const table: [string, ReturnType<typeof apiError> | { reason: string | null; apiStatus: null }, string, boolean][] = [
    ["401", apiError(401), "model-unauthorized", false],
    ["403", apiError(403), "model-unauthorized", false],
    ["account on hold", apiError(400, "account_on_hold"), "model-unauthorized", false],
    ["429", apiError(429), "model-limited", true],
    ["a rate limit without status", apiError(null, "rate_limit"), "model-limited", true],
    ["529", apiError(529), "model-unavailable", true],
    ["500", apiError(500), "model-unavailable", true],
    ["502 of the broker", apiError(502), "model-unavailable", true],
    ["408", apiError(408), "model-unavailable", true],
    ["no connection", apiError(null), "model-unavailable", true],
    ["400", apiError(400), "model-refused", false],
    ["no credit", apiError(null, "billing_error"), "model-refused", false],
    ["404 of a model", apiError(404), "model-refused", false],
    ["413", apiError(413), "model-refused", false],
    ["a prompt that is too long", { reason: "prompt_too_long", apiStatus: null }, "model-refused", false],
    ["too many turns", { reason: "max_turns", apiStatus: null }, "turn-limit", false],
    ["a failure within", { reason: "during_execution", apiStatus: null }, "agent-error", true],
    ["no reason at all", { reason: null, apiStatus: null }, "agent-error", true],
  ];
  test.each(table)("%s → %j → %s", (_, how, kind, retryable) => {
    const { reason, apiStatus } = how;
    const seen = "error" in how ? { apiError: { status: apiStatus, error: how.error } } : {};
    const failure = ending({ reason, apiStatus, text: "its words" }, seen);
    expect(failure).toMatchObject({ kind, retryable });
    expect(JSON.stringify(failure)).toContain("its words");
  });

  test("an old refusal by the API does not explain a later failure of another kind", () => {
    const seen = { apiError: { status: 500, error: "server_error" } };
    expect(ending({ reason: "during_execution" }, seen)).toMatchObject({ kind: "agent-error" });
  });

  const limits: [string, number | null, number | null, number | null][] = [
    ["from the agent's event", now + day, now + 1, now + day],
    ["from the model's answer where the agent says nothing", null, now + day, now + day],
    ["never further than a week and a day", now + 400 * day, null, now + 8 * day],
    ["in the past, so unknown", now - 1, null, null],
    ["unknown", null, null, null],
  ];
  test.each(limits)("limited until: %s", (_, resetsAt, limitedUntil, untilMs) => {
    const seen: Partial<Seen> = {
      result: failed({ reason: "api_error", apiStatus: 429 }),
      resting: true,
      limit: { resetsAt },
    };
    expect(failureFor(seen, limitedUntil)).toMatchObject({ kind: "model-limited", untilMs });
  });

  test("a limit that was reached on the way, and not since, explains nothing", () => {
    expect(failureFor({ limit: null, error: "exit 1" })).toMatchObject({ kind: "agent-crashed" });
  });

  test("a crash tells how, and the end of stderr", () => {
    expect(failureFor({ error: "terminated by signal SIGKILL", stderr: "panic: …\n" })).toEqual({
      kind: "agent-crashed",
      retryable: true,
      detail: "terminated by signal SIGKILL Its last words: panic: …",
    });
    expect(failureFor({})).toMatchObject({ detail: "The agent ended without a result." });
  });

  test("a jail that did not start is told from an agent that crashed, by an end before any message only", () => {
    const stderr = "bwrap: Can't bind mount /x\n";
    expect(failureFor({ silent: true, error: "exit 1", stderr })).toMatchObject({
      kind: "jail-failed",
      retryable: false,
    });
    expect(failureFor({ silent: false, error: "exit 1", stderr })).toMatchObject({ kind: "agent-crashed" });
  });
});
