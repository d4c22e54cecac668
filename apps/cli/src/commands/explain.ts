import { type ExplainedEvent, Explanation } from "@claude-hooks/api";
import type { Client } from "../client.ts";
import { clock, printable, shortId } from "../text.ts";

/** Why something ran, or why nothing did: deliveries, events, flows tried, runs. */
export async function explain(
  client: Client,
  print: (text: string) => void,
  subject: string,
  options: { json?: boolean },
): Promise<void> {
  const explanation = await client.get(`/explain?subject=${encodeURIComponent(subject)}`, Explanation);
  print(options.json === true ? JSON.stringify(explanation, null, 2) : printable(explanationText(explanation)));
}

export function explanationText({ deliveries, events, runs }: Explanation): string {
  const lines = deliveries.map((delivery) => {
    const why = delivery.reason === null ? "" : `: ${delivery.reason}`;
    return `delivery ${delivery.uuid} (${delivery.event}), received ${clock(delivery.received_at)} UTC: ${delivery.state}${why}`;
  });
  if (events.length === 0 && deliveries.length > 0) lines.push("no new event came of it");
  for (const event of events) lines.push("", ...eventLines(event));
  if (runs.length > 0) lines.push("", "runs:");
  for (const run of runs) {
    lines.push(
      `  ${shortId(run.id)} ${run.lane}, ${clock(run.started_at)} UTC: ${run.failure ?? (run.outcome === "running" ? run.state : run.outcome)}`,
    );
  }
  return lines.join("\n").trim();
}

function eventLines(event: ExplainedEvent): string[] {
  const where = event.thread === null ? "" : ` on ${event.thread}`;
  const head = `${event.kind} by ${event.actor}${where}, ${clock(event.received_at)} UTC`;
  if (!event.decided) return [head, "  no flow has been tried on it yet"];
  if (event.decisions.length === 0) return [head, "  no flow is loaded"];
  return [
    head,
    ...event.decisions.map((decision) => `  ${decision.matched ? "✓" : "✗"} ${decision.flow}: ${decision.why}`),
  ];
}
