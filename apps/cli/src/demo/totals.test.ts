import { expect, test } from "bun:test";
import type { Outcome } from "./play.ts";
import { totals } from "./totals.ts";

const run = { id: "r", session: "s", start: "fresh", took_ms: 3_000 };
const outcome: Outcome = {
  ok: true,
  live: false,
  issue: { number: 1, url: "http://forge/issues/1" },
  pull_request: { number: 2, url: "http://forge/pulls/2", head: "abc" },
  times_ms: { service_up: 1_000, issue: 1_100, pull_request: 5_600, comment: 6_000, second_commit: 9_250, end: 10_800 },
  runs: [
    { ...run, turns: 8, cost_usd: 0.08 },
    { ...run, turns: 9, cost_usd: 0.0405 },
  ],
  deliveries: { sent: 9, accepted: 9 },
  model_requests: 13,
  checks: [],
};

test("the figures are those between the moments, and those of all runs", () => {
  expect(Object.fromEntries(totals(outcome))).toEqual({
    "issue → pull request": "4.5 s",
    "comment → second commit": "3.3 s",
    "from the start": "11 s",
    agent: "2 runs, 17 turns, $0.1205 as the script has it: nothing was spent",
    webhooks: "9 sent, 9 accepted",
    model: "13 requests, answered by the script",
    issue: "http://forge/issues/1",
    "pull request": "http://forge/pulls/2",
  });
});

test("the real model's cost is a cost, and its requests are not counted", () => {
  const facts = Object.fromEntries(totals({ ...outcome, live: true, model_requests: null }));
  expect(facts["agent"]).toBe("2 runs, 17 turns, $0.1205");
  expect(facts["model"]).toBeUndefined();
});
