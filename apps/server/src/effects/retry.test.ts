import { describe, expect, test } from "bun:test";
import { ForgeError, type ForgeErrorKind } from "../domain/forge.ts";
import { afterRefusal, maxAttempts } from "./retry.ts";

interface Case {
  kind?: ForgeErrorKind;
  ambiguous?: boolean;
  retryAfterMs?: number;
  attempts?: number;
  random?: number;
}

const now = 1_000_000;
const after = ({ kind = "unavailable", ambiguous = false, retryAfterMs, attempts = 1, random = 0 }: Case) => {
  const detail = { kind, status: 503, ambiguous, retryAfterMs: retryAfterMs ?? null };
  const next = afterRefusal({ error: new ForgeError("it said no", detail), attempts, now, random });
  return next.kind === "retry" ? next.at - now : next.advice;
};

describe("a refused effect", () => {
  test("waits longer each time, up to half an hour", () => {
    const delays = [1, 2, 3, 4, 5, 6, 7].map((attempts) => after({ attempts }));
    expect(delays).toEqual([1_000, 3_000, 9_000, 27_000, 81_000, 243_000, 729_000]);
    expect(after({ attempts: 7, ambiguous: true })).toBe(900_000);
  });

  test("is spread by chance over as long again", () => {
    expect(after({ random: 0.999 })).toBe(1_999);
    expect(after({ attempts: 3, random: 0.5 })).toBe(13_500);
  });

  test("waits longer where the request may still be under way", () => {
    expect(after({ ambiguous: true })).toBe(5_000);
  });

  test("waits as long as the forge asks, and at most an hour", () => {
    expect(after({ kind: "rate-limited", retryAfterMs: 90_000 })).toBe(90_000);
    expect(after({ kind: "rate-limited", retryAfterMs: 10 })).toBe(1_000);
    expect(after({ kind: "rate-limited", retryAfterMs: 10 ** 12 })).toBe(3_600_000);
  });

  test("is parked after eight tries", () => {
    expect(maxAttempts).toBe(8);
    expect(after({ attempts: 8 })).toContain("It was tried 8 times");
  });

  test.each<ForgeErrorKind>(["unauthorized", "forbidden", "invalid", "not-found", "archived"])(
    "that is %s is parked at once",
    (kind) => expect(after({ kind })).toBeString(),
  );

  test.each<ForgeErrorKind>(["conflict", "rate-limited", "unavailable", "unexpected-answer"])(
    "that met %s is tried again",
    (kind) => expect(after({ kind })).toBeNumber(),
  );
});
