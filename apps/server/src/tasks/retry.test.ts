import { expect, test } from "bun:test";
import { afterFailure } from "./retry.ts";

const base = { attempts: 1, runs: 1, maxAttempts: 3, now: 1_000 };

test("a failure that a retry cannot help fails the task at once", () => {
  expect(afterFailure({ ...base, failure: { kind: "no-change", retryable: false, detail: "" } })).toEqual({
    kind: "fail",
  });
});

test("the delay doubles from try to try, and the last try is the last", () => {
  const failure = { kind: "agent-crashed", retryable: true, detail: "" } as const;
  expect(afterFailure({ ...base, failure })).toEqual({ kind: "retry", dueAt: 16_000, countAttempt: true });
  expect(afterFailure({ ...base, attempts: 2, failure })).toEqual({ kind: "retry", dueAt: 31_000, countAttempt: true });
  expect(afterFailure({ ...base, attempts: 3, failure })).toEqual({ kind: "fail" });
});

test("an interruption costs no attempt and waits for nothing, but has an end", () => {
  const failure = { kind: "interrupted", retryable: true, detail: "" } as const;
  expect(afterFailure({ ...base, failure })).toEqual({ kind: "retry", dueAt: 1_000, countAttempt: false });
  expect(afterFailure({ ...base, runs: 15, failure })).toEqual({ kind: "fail" });
});

test("a limit of the account is waited for until it ends", () => {
  const failure = { kind: "model-limited", retryable: true, detail: "", untilMs: 9_000_000 } as const;
  expect(afterFailure({ ...base, failure })).toMatchObject({ kind: "retry", dueAt: 9_000_000 });
});
