import { took } from "../text.ts";
import type { Outcome } from "./play.ts";
import type { Story } from "./story.ts";

/** Figures of the whole, and where to look. */
export function tellTotals(story: Story, outcome: Outcome): void {
  story.heading("In total");
  for (const [name, value] of totals(outcome)) story.fact(name, value);
  story.heading("Checked");
  for (const { name, ok, detail } of outcome.checks) story.check(ok, name, detail);
}

export function totals({ times_ms: times, runs, deliveries, live, model_requests, issue, pull_request }: Outcome) {
  const turns = runs.reduce((sum, run) => sum + run.turns, 0);
  const cost = runs.reduce((sum, run) => sum + run.cost_usd, 0);
  const facts: [string, string][] = [
    ["issue → pull request", took(times.pull_request - times.issue)],
    ["comment → second commit", took(times.second_commit - times.comment)],
    ["from the start", took(times.end)],
    [
      "agent",
      `${runs.length} runs, ${turns} turns, $${cost.toFixed(4)}${live ? "" : " as the script has it: nothing was spent"}`,
    ],
    ["webhooks", `${deliveries.sent} sent, ${deliveries.accepted} accepted`],
    ...(model_requests === null
      ? []
      : [["model", `${model_requests} requests, answered by the script`] as [string, string]]),
    ["issue", issue.url],
    ["pull request", pull_request.url],
  ];
  return facts;
}
