import { describe, expect, test } from "bun:test";
import { type Findings, judge } from "./checks.ts";

const run = (start: string) => ({ session: "s1", start, outcome: "succeeded" as const });
const sound: Findings = {
  live: false,
  pulls: [{ number: 2, state: "open" }],
  tests: { passed: true, detail: "5 pass, 0 fail" },
  runs: [run("started fresh: the first run here"), run("resumed, last used 2 s ago")],
  receipts: 1,
  commits: 2,
  unexpected: [],
};
const failed = (found: Partial<Findings>) =>
  judge({ ...sound, ...found })
    .filter(({ ok }) => !ok)
    .map(({ name }) => name);

describe("the demo holds", () => {
  test("when everything is as it should be", () => {
    expect(failed({})).toEqual([]);
  });

  const [first, second] = sound.runs;
  const cases: [string, Partial<Findings>, string[]][] = [
    ["no pull request", { pulls: [] }, ["exactly one pull request"]],
    ["two pull requests", { pulls: [...sound.pulls, ...sound.pulls] }, ["exactly one pull request"]],
    ["red tests", { tests: { passed: false, detail: "" } }, ["the project's own tests pass on its head"]],
    ["another session", { runs: [first!, { ...second!, session: "s2" }] }, ["both runs have the same session"]],
    [
      "no session at all",
      { runs: [first!, second!].map((one) => ({ ...one, session: null })) },
      ["both runs have the same session"],
    ],
    ["a second run that began fresh", { runs: [first!, first!] }, ["the second run resumed it"]],
    ["a failed run", { runs: [first!, { ...second!, outcome: "failed" }] }, ["two runs, and both succeeded"]],
    ["a third run", { runs: [first!, second!, second!] }, ["two runs, and both succeeded"]],
    ["two receipts", { receipts: 2 }, ["exactly one receipt"]],
    ["three commits", { commits: 3 }, ["two commits on the branch"]],
    ["a surprised script", { unexpected: ["why"] }, ["the model was asked nothing unexpected"]],
  ];
  test.each(cases)("not with %s", (_, found, names) => {
    expect(failed(found)).toEqual(names);
  });

  test("with the real model, also with more commits, but not with fewer", () => {
    expect(failed({ live: true, commits: 5 })).toEqual([]);
    expect(failed({ live: true, commits: 1 })).toEqual(["two commits or more on the branch"]);
  });
});
