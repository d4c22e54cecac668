import { RunDetail, RunList, type RunSummary, StreamEntry } from "@claude-hooks/api";
import type { Client } from "../client.ts";
import { streamLines } from "../stream-text.ts";
import { clock, count, printable, shortId, table, took } from "../text.ts";

type Print = (text: string) => void;

export async function listRuns(
  client: Client,
  print: Print,
  options: { limit: string; json?: boolean },
): Promise<void> {
  const list = await client.get(`/runs?limit=${encodeURIComponent(options.limit)}`, RunList);
  if (options.json === true) return print(JSON.stringify(list, null, 2));
  if (list.runs.length === 0)
    return print("no runs yet: assign an issue to an agent's user, or mention it in a comment");
  const head = ["RUN", "STARTED (UTC)", "LANE", "OUTCOME", "TOOK", "COST", "WHAT"];
  print(printable(table([head, ...list.runs.map(row)])));
}

function row(run: RunSummary): string[] {
  return [
    shortId(run.id),
    clock(run.started_at),
    run.lane,
    run.outcome === "running" ? run.state : run.outcome,
    run.finished_at === null ? "-" : took(run.finished_at - run.started_at),
    run.cost_usd === null ? "-" : `$${run.cost_usd.toFixed(4)}`,
    run.failure ??
      (run.pull_request === null ? "" : `pull request #${run.pull_request}, ${count(run.commits, "commit")}`),
  ];
}

export async function showRun(client: Client, print: Print, id: string, options: { json?: boolean }): Promise<void> {
  const run = await client.get(`/runs/${encodeURIComponent(id)}`, RunDetail);
  if (options.json === true) return print(JSON.stringify(run, null, 2));
  const facts: [string, string | null][] = [
    ["run", run.id],
    ["lane", run.lane],
    ["why", run.cause],
    ["outcome", run.outcome === "running" ? `running (${run.state})` : run.outcome],
    ["failure", run.failure],
    ["session", run.start === null ? null : `${run.start}${run.session === null ? "" : ` (${run.session})`}`],
    ["branch", `${run.branch}, ${count(run.commits, "new commit")}`],
    ["head", run.head_after === null ? run.head_before : `${run.head_before ?? "?"} → ${run.head_after}`],
    ["pull request", run.pull_request === null ? null : `#${run.pull_request}`],
    ["turns", run.turns === null ? null : String(run.turns)],
    ["cost", run.cost_usd === null ? null : `$${run.cost_usd.toFixed(4)}`],
    ["started", `${clock(run.started_at)} UTC`],
    ["took", run.finished_at === null ? null : took(run.finished_at - run.started_at)],
    ["times", times(run)],
  ];
  const lines = facts.filter(([, value]) => value !== null).map(([name, value]) => `${name.padEnd(13)} ${value}`);
  const effects = run.effects.map((effect) => `  ${effect.kind}: ${effect.state} ${effect.url ?? effect.error ?? ""}`);
  if (effects.length > 0) lines.push("written to the forge:", ...effects);
  if (run.summary !== null && run.summary !== "") lines.push("", run.summary);
  print(printable(lines.join("\n")));
}

function times(run: RunDetail): string {
  const entered = Object.entries(run.state_times).toSorted(([, a], [, b]) => a - b);
  return entered
    .map(([state, at], index) => {
      const until = entered[index + 1]?.[1] ?? run.finished_at;
      return until === null ? state : `${state} ${took(until - at)}`;
    })
    .join(", ");
}

export async function tailRun(client: Client, print: Print, id: string, options: { json?: boolean }): Promise<void> {
  for await (const data of client.stream(`/runs/${encodeURIComponent(id)}/stream`, 0)) {
    const entry = StreamEntry.parse(JSON.parse(data));
    if (options.json === true) {
      print(JSON.stringify(entry));
      continue;
    }
    for (const line of streamLines(entry)) print(printable(line));
  }
}
