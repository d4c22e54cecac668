import { describe, expect, test } from "bun:test";
import { paperFor, Story } from "./story.ts";

function tell(paper: { colours?: boolean; width?: number } = {}) {
  let text = "";
  let now = 0;
  const write = (more: string) => void (text += more);
  const story = new Story(
    { write, colours: paper.colours ?? false, width: paper.width ?? Number.POSITIVE_INFINITY },
    () => now,
  );
  return { story, text: () => text, pass: (ms: number) => void (now += ms) };
}

describe("a step", () => {
  test("shows the seconds since the start, who, and what", () => {
    const { story, text, pass } = tell();
    pass(12_345);
    story.step("webhook", "issues (opened)");
    expect(text()).toBe("  12.3 s  webhook    issues (opened)\n");
    expect(story.steps).toEqual([{ at_ms: 12_345, who: "webhook", text: "issues (opened)" }]);
  });

  test("can be older than the moment in which it is told", () => {
    const { story, text, pass } = tell();
    pass(9_000);
    story.step("commit", "x", { at: 1_000 });
    expect(text()).toStartWith("   1.0 s  commit");
  });

  test("goes on under itself where the terminal ends, and is kept whole", () => {
    const { story, text } = tell({ width: 45 });
    const long = "one two three four\nfive six seven eight nine";
    story.step("agent", long);
    const under = " ".repeat(21);
    expect(text()).toBe(`   0.0 s  agent      one two three four five\n${under}six seven eight nine\n`);
    expect(story.steps[0]?.text).toBe(long);
  });

  test("of lesser weight is one line, cut where the terminal ends", () => {
    const { story, text } = tell({ width: 60 });
    story.step("", `$ first\nsecond ${"x".repeat(100)}`, { quiet: true });
    expect(text()).toEndWith("x…\n");
    expect(text().length).toBe(61);
    expect(text()).toContain("$ first second x");
  });

  test("does not let an agent's words drive the terminal", () => {
    const { story, text } = tell({ colours: true });
    story.step("agent", "\u001b[2Jgone", { quiet: true });
    expect(text()).toContain("\\u001b[2Jgone");
  });
});

test("text that stands by itself breaks between words, and keeps its own lines", () => {
  const { story, text } = tell({ width: 12 });
  story.plain("\nall of it is up");
  expect(text()).toBe("\nall of it is\nup\n");
});

test("a link is never shortened", () => {
  const { story, text } = tell({ width: 40 });
  const address = `http://127.0.0.1:4000/${"x".repeat(60)}`;
  story.link(address);
  expect(text()).toContain(address);
});

test("without colours there is no escape in anything", () => {
  const { story, text } = tell();
  story.heading("a");
  story.step("b", "c", { quiet: true });
  story.detail("d");
  story.fact("e", "f");
  story.check(false, "g", "h");
  story.failure("i\nj");
  expect(text()).not.toContain("\u001b");
  expect(text()).toContain("✗ g  h");
});

describe("paper", () => {
  const write = () => true;
  const colours = (stream: { isTTY?: boolean }, env: Record<string, string>) =>
    paperFor({ write, ...stream }, env).colours;

  test("has colours on a terminal only, and not where NO_COLOR or a dumb terminal says so", () => {
    expect(colours({ isTTY: true }, {})).toBe(true);
    expect(colours({ isTTY: true }, { NO_COLOR: "" })).toBe(true);
    expect(colours({ isTTY: true }, { NO_COLOR: "1" })).toBe(false);
    expect(colours({ isTTY: true }, { TERM: "dumb" })).toBe(false);
    expect(colours({}, {})).toBe(false);
  });

  test("is as wide as the terminal, and has no edge elsewhere", () => {
    expect(paperFor({ write, isTTY: true, columns: 93 }, {}).width).toBe(93);
    expect(paperFor({ write }, {}).width).toBe(Number.POSITIVE_INFINITY);
  });
});
