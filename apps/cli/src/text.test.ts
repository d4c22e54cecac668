import { expect, test } from "bun:test";
import { explanationText } from "./commands/explain.ts";
import { streamLines } from "./stream-text.ts";
import { printable, table } from "./text.ts";

test("what a stranger wrote cannot drive the reader's terminal", () => {
  expect(printable("a\u001b[31mred\u0007\u202e")).toBe("a\\u001b[31mred\\u0007\\u202e");
  expect(printable("two\nlines\tand ümlaut")).toBe("two\nlines\tand ümlaut");
});

test("a table's columns line up, and its last one is left as it is", () => {
  expect(
    table([
      ["RUN", "WHAT"],
      ["12345678", "x"],
    ]),
  ).toBe("RUN       WHAT\n12345678  x");
});

test("an explanation names the delivery, the event, and why each flow ran or not", () => {
  const text = explanationText({
    subject: "d1",
    deliveries: [{ id: "d1", uuid: "u1", event: "issues", received_at: 0, state: "normalised", reason: null }],
    events: [
      {
        id: "e1",
        kind: "comment.created",
        semantic_key: "k",
        thread: "acme/widgets#1",
        actor: "bob",
        received_at: 0,
        delivery: "d1",
        decided: true,
        decisions: [{ flow: "Answer a mention", matched: false, why: "bob has read access; write is needed", saw: {} }],
      },
    ],
    runs: [],
  });
  expect(text.split("\n")).toEqual([
    "delivery u1 (issues), received 1970-01-01 00:00:00 UTC: normalised",
    "",
    "comment.created by bob on acme/widgets#1, 1970-01-01 00:00:00 UTC",
    "  ✗ Answer a mention: bob has read access; write is needed",
  ]);
});

test("a delivery that brought nothing new says so", () => {
  const deliveries = [{ id: "d", uuid: "u", event: "fork", received_at: 0, state: "ignored", reason: "no interest" }];
  expect(explanationText({ subject: "d", deliveries, events: [], runs: [] })).toContain("no new event came of it");
});

test("a run's stream reads as what the agent says and does; bookkeeping gives no line", () => {
  const lines = (message: unknown) => streamLines({ seq: 1, at: 0, message });
  expect(lines({ type: "system", subtype: "init", session_id: "s" })).toEqual(["00:00:00  session s"]);
  expect(lines({ type: "system", subtype: "status" })).toEqual([]);
  expect(
    lines({
      type: "assistant",
      message: {
        content: [
          { type: "text", text: "a\nb" },
          { type: "tool_use", name: "Bash", input: { command: "ls" } },
        ],
      },
    }),
  ).toEqual(["00:00:00  agent: a ⏎ b", '00:00:00    → Bash {"command":"ls"}']);
  expect(lines({ type: "result", is_error: true, num_turns: 2, errors: ["boom"] })).toEqual([
    "00:00:00  ended with an error after 2 turns: boom",
  ]);
  expect(lines("garbage")).toEqual([]);
});
