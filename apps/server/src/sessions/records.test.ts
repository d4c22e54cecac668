import { describe, expect, test } from "bun:test";
import { readSessionFile } from "./records.ts";

const read = (content: unknown) => {
  const file = readSessionFile(
    typeof content === "string" ? content : JSON.stringify(content, null, 2),
    "sessions.json",
  );
  if (file.kind === "unreadable") throw new Error(file.fault);
  return file;
};

describe("a sessions file", () => {
  test("is read in both forms of keys and of values", () => {
    const { entries, faults } = read({
      "dev:acme/widgets:12": "old-id",
      "design-reviewer:acme/my.widgets#13": { id: "new-id", last_used_at: 1_700_000_000_000 },
      "dev:main/acme/widgets#14": { id: "x", last_used_at: 0, further: true },
    });
    expect(faults).toEqual([]);
    const dev = { agentType: "dev", repository: "acme/widgets" };
    expect(entries).toMatchObject([
      { ...dev, forge: null, number: 12, id: "old-id", lastUsedAt: 0 },
      { agentType: "design-reviewer", repository: "acme/my.widgets", number: 13, lastUsedAt: 1_700_000_000_000 },
      { ...dev, forge: "main", number: 14, lastUsedAt: 0 },
    ]);
  });

  test.each([
    ["dev:acme/widgets", "id"],
    ["acme/widgets#1", "id"],
    ["dev:acme#1", "id"],
    ["dev:acme/widgets#0", "id"],
    ["dev:a/b/c/d#1", "id"],
    ["dev:acme/widgets#1", ""],
    ["dev:acme/widgets#1", 7],
    ["dev:acme/widgets#1", null],
    ["dev:acme/widgets#1", { id: "x" }],
    ["dev:acme/widgets#1", { id: "x", last_used_at: "yesterday" }],
    ["dev:acme/widgets#1", { id: "x", last_used_at: -1 }],
    ["dev:acme/widgets#1", { id: "x", last_used_at: 1.5 }],
    ["dev:acme/widgets#1", { id: 5, last_used_at: 1 }],
  ])("says where %j: %j stands, and gives the others", (key, value) => {
    const { entries, faults } = read({ "dev:acme/widgets#7": "good", [key]: value });
    expect(entries.map(({ number }) => number)).toEqual([7]);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toStartWith(`sessions.json:3:3: "${key}": expected`);
  });

  test.each([
    ['{\n  "dev:acme/widgets#1": "x",\n}', "sessions.json:3:1: not JSON (PropertyNameExpected)"],
    ['{\n  "dev:acme/widgets#1" "x"\n}', "sessions.json:2:24: not JSON (ColonExpected)"],
    ['{"a": // no\n "x"}', "sessions.json:1:7: not JSON (InvalidCommentToken)"],
    ['{"dev:acme/widgets#1": "x"', "sessions.json:1:27: not JSON (CloseBraceExpected)"],
    ["", "sessions.json:1:1: not JSON (ValueExpected)"],
    ["[]", "sessions.json: expected an object of sessions, found array"],
  ])("that is %j is not read at all, and the place is said", (text, fault) => {
    expect(readSessionFile(text, "sessions.json")).toEqual({ kind: "unreadable", fault });
  });
});
