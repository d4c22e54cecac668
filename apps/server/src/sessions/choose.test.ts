import { expect, test } from "bun:test";
import type { LaneKey, SessionId } from "../domain/ids.ts";
import { chooseSession } from "./choose.ts";

const hour = 3_600_000;
const session = { lane: "dev:thread-1" as LaneKey, id: "session-1" as SessionId, lastUsedAt: 5 };

test("a lane without a session begins afresh", () => {
  expect(chooseSession({ kind: "none" })).toEqual({
    start: { kind: "fresh", reason: "none", detail: null },
    resume: null,
  });
});

test("an expired session is not resumed, and its age and the limit are told", () => {
  expect(chooseSession({ kind: "expired", lastUsedAt: 5, ageMs: 25 * hour, maxAgeMs: 24 * hour })).toEqual({
    start: { kind: "fresh", reason: "expired", detail: "25 h, limit 24 h" },
    resume: null,
  });
});

test("a live session is resumed", () => {
  expect(chooseSession({ kind: "live", session })).toEqual({
    start: { kind: "resumed", lastUsedAt: 5 },
    resume: session,
  });
});
