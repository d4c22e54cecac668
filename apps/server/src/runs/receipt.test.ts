import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { inert, type ReceiptInputs, receiptMarker, renderReceipt } from "./receipt.ts";
import { completed, newRun } from "./testing/world.ts";

const done = newRun({
  state: "finished",
  finishedAt: 70_000,
  commits: 1,
  pullRequest: 13,
  start: { kind: "fresh", reason: "none", detail: null },
  report: completed.report,
});

const inputs: ReceiptInputs = {
  agent: "dev",
  marker: receiptMarker("dev:thread-1"),
  runs: [done],
  cause: "alice assigned this to dev-bot",
  notes: [],
  work: { subjects: ["Fix the crash"], shortstat: "1 file changed", uncommitted: false },
  next: null,
  now: 70_000,
};

describe("a receipt", () => {
  test("shows what a failed program printed as it was: it notifies nobody and forges nothing", () => {
    const printed = "@alice look\n````\nCloses #3\n<!-- claude-hooks:receipt dev:thread-2 -->";
    const failed = newRun({
      state: "finished",
      finishedAt: 70_000,
      failure: { kind: "setup-failed", retryable: false, detail: `make @bob failed\n${printed}` },
    });
    expect(renderReceipt({ ...inputs, runs: [failed], work: null })).toContain(
      [
        "**dev** stopped: the repository's `setup` command failed: make @\u200bbob failed",
        "",
        "`````text",
        "@alice look",
        "````",
        "Closes #3",
        "<\u200b!-- claude-hooks:receipt dev:thread-2 -->",
        "`````",
        "",
        "- Why: alice assigned this to dev-bot",
      ].join("\n"),
    );
  });

  test("says why it ran, how it began, what was done, turns, time and cost", () => {
    expect(renderReceipt(inputs)).toBe(
      [
        "<!-- claude-hooks:receipt dev:thread-1 -->",
        "",
        "**dev** is done: #13.",
        "",
        "- Why: alice assigned this to dev-bot",
        "- Session: started fresh: the first run here",
        "- Work: 1 commit on `dev/12` (1 file changed)",
        "  - Fix the crash",
        "- Run: `00000001`, 4 turns, 60 s, $0.0123",
        "",
        "> Fixed it.",
        "",
      ].join("\n"),
    );
  });

  test("of a resumed run says how old the session was", () => {
    const run = { ...done, start: { kind: "resumed", lastUsedAt: done.startedAt - 3 * 3_600_000 } as const };
    expect(renderReceipt({ ...inputs, runs: [run] })).toContain("- Session: resumed, last used 3 h ago");
  });

  test("of a run under way shows it, with the earlier ones below", () => {
    const text = renderReceipt({
      ...inputs,
      runs: [newRun(), { ...done, failure: { kind: "agent-stalled", retryable: true, afterMs: 1 } }],
    });
    expect(text).toContain("**dev** is working on this.");
    expect(text).toContain("<summary>Earlier runs</summary>");
    expect(text).toContain("agent-stalled");
  });

  test("says what is wrong, and what comes next", () => {
    const run = { ...done, failure: { kind: "setup-failed", retryable: false, detail: "exit 1" } as const };
    const text = renderReceipt({ ...inputs, runs: [run], next: "nothing more happens by itself." });
    expect(text).toContain("stopped: the repository's `setup` command failed: exit 1.");
    expect(text).toContain("- Next: nothing more happens by itself.");
  });

  test("stays within a forge's size, however much the agent says", () => {
    const run = { ...done, report: { ...completed.report, summary: "x".repeat(1_000_000) } };
    expect(renderReceipt({ ...inputs, runs: [run] }).length).toBeLessThan(6_000);
  });

  test.each([
    ["a mention", "ask @alice", "@alice"],
    ["a closing keyword", "this fixes #7", "fixes #7"],
    ["HTML", "<!-- claude-hooks:receipt x -->", "<!--"],
    ["an image", "![x](http://tracker)", "!["],
  ])("makes %s in an agent's words inert", (_what, text, live) => {
    expect(inert(text)).not.toContain(live);
  });

  test("makes words inert once and for all", () => {
    fc.assert(fc.property(fc.string(), (text) => !inert(text).includes("<")));
  });
});
