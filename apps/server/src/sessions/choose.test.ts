import { describe, expect, test } from "bun:test";
import type { LaneKey, SessionId } from "../domain/ids.ts";
import type { Session } from "../domain/session.ts";
import { chooseSession } from "./choose.ts";

const hour = 3_600_000;
const session: Session = {
  lane: "dev:thread" as LaneKey,
  id: "0b6f0c3e-5f0e-4a5e-9c55-2b7f6a1d1c11" as SessionId,
  lastUsedAt: 100 * hour,
};

describe("which session a run begins with", () => {
  test("a lane without one starts fresh, and nothing is dropped", () => {
    expect(chooseSession(null, hour, 0)).toEqual({
      start: { kind: "fresh", reason: "none", detail: null },
      resume: null,
      drop: null,
    });
  });

  const cases = [
    { title: "used a moment ago", now: session.lastUsedAt, kind: "resumed" },
    { title: "unused for exactly the age", now: session.lastUsedAt + 24 * hour, kind: "resumed" },
    { title: "unused for a millisecond more than the age", now: session.lastUsedAt + 24 * hour + 1, kind: "fresh" },
    { title: "used in the future, because the clock was set back", now: session.lastUsedAt - hour, kind: "resumed" },
  ] as const;
  test.each(cases)("$title → $kind", ({ now, kind }) => {
    const choice = chooseSession(session, 24 * hour, now);
    expect(choice.start.kind).toBe(kind);
    expect(choice.resume).toBe(kind === "resumed" ? session : null);
    expect(choice.drop).toBe(kind === "resumed" ? null : session);
  });

  test("an expired one says how old it is and how long they are kept", () => {
    expect(chooseSession(session, 24 * hour, session.lastUsedAt + 73 * hour).start).toEqual({
      kind: "fresh",
      reason: "expired",
      detail: "last used 3 days ago; sessions are kept for 1 day",
    });
    expect(chooseSession(session, 1_000, session.lastUsedAt + 59_999).start).toMatchObject({
      detail: "last used 59 seconds ago; sessions are kept for 1 second",
    });
  });
});
