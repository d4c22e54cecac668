import { expect, test } from "bun:test";
import type { LaneKey, SessionId } from "../domain/ids.ts";
import { chooseSession } from "./choose.ts";

const hour = 3_600_000;
const session = { lane: "dev:thread-1" as LaneKey, id: "session-1" as SessionId, lastUsedAt: 5 };

test("a lane without a session begins afresh", () => {
  expect(chooseSession({ kind: "none" })).toEqual({
    start: { kind: "fresh", reason: "none", detail: null },
    resume: null,
    drop: null,
  });
});

test("an expired session is not resumed, and its age and the limit are told", () => {
  expect(chooseSession({ kind: "expired", lastUsedAt: 5, ageMs: 25 * hour, maxAgeMs: 24 * hour })).toEqual({
    start: { kind: "fresh", reason: "expired", detail: "25 h, limit 24 h" },
    resume: null,
    drop: null,
  });
});

test("a live session with a transcript is resumed", () => {
  expect(chooseSession({ kind: "live", session, transcript: { kind: "readable" } })).toEqual({
    start: { kind: "resumed", lastUsedAt: 5 },
    resume: session,
    drop: null,
  });
});

test("a session whose transcript is missing is given up, and counts as a failed resume", () => {
  const transcript = { kind: "missing", detail: "nothing of it is stored" } as const;
  expect(chooseSession({ kind: "live", session, transcript })).toEqual({
    start: { kind: "fresh", reason: "transcript-missing", detail: "nothing of it is stored" },
    resume: null,
    drop: { session: session.id, counts: "transcript-missing" },
  });
});

test("a session that outgrew its limit is given up, and is no failed resume", () => {
  const transcript = { kind: "full", detail: "33 MB" } as const;
  expect(chooseSession({ kind: "live", session, transcript })).toEqual({
    start: { kind: "fresh", reason: "transcript-full", detail: "33 MB" },
    resume: null,
    drop: { session: session.id, counts: null },
  });
});
