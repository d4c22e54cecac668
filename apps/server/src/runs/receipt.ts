import { failureText } from "../domain/failure-text.ts";
import type { Run } from "../domain/run.ts";
import { duration, startText } from "../domain/session-text.ts";

/** Everything that a receipt tells; one comment per lane, rewritten as its runs go on. */
export interface ReceiptInputs {
  agent: string;
  marker: string;
  /** Newest first; the first one is what the receipt is about. */
  runs: readonly Run[];
  cause: string;
  notes: readonly string[];
  work: { subjects: readonly string[]; shortstat: string; uncommitted: boolean } | null;
  /** What comes next where the newest run failed. */
  next: string | null;
  now: number;
}

/** Hidden in every receipt of a lane, so that it is found again and rewritten. */
export const receiptMarker = (lane: string): string => `<!-- claude-hooks:receipt ${lane} -->`;

const maxSummary = 4_000;
const earlierShown = 10;

/** One comment in markdown: why it ran, resumed or fresh, what was done, turns, time and cost. */
export function renderReceipt(inputs: ReceiptInputs): string {
  const [run, ...earlier] = inputs.runs;
  if (run === undefined) return inputs.marker;
  const parts = [
    inputs.marker,
    `**${inputs.agent}** ${headline(run)}`,
    facts(run, inputs).join("\n"),
    ...(run.report === null || run.report.summary === "" ? [] : [quote(run.report.summary)]),
    ...(earlier.length === 0 ? [] : [earlierRuns(earlier, inputs.now)]),
  ];
  return `${parts.join("\n\n")}\n`;
}

function headline(run: Run): string {
  if (run.finishedAt === null)
    return run.state === "publishing" || run.state === "reporting" ? "is publishing its work." : "is working on this.";
  if (run.failure?.kind === "no-change") return `finished without a commit: ${run.failure.detail}.`;
  if (run.failure !== null) return `stopped: ${told(failureText(run.failure))}`;
  return run.pullRequest === null ? "is done." : `is done: #${run.pullRequest}.`;
}

function facts(run: Run, { cause, notes, work, next, now }: ReceiptInputs): string[] {
  const rows = [`- Why: ${cause}`];
  if (run.start !== null) rows.push(`- Session: ${startText(run.start, run.startedAt)}`);
  if (work !== null && work.subjects.length > 0) {
    rows.push(
      `- Work: ${count(run.commits, "commit")} on \`${run.branch}\`${work.shortstat === "" ? "" : ` (${work.shortstat})`}`,
    );
    rows.push(...work.subjects.slice(0, 10).map((subject) => `  - ${inert(subject)}`));
    if (work.subjects.length > 10) rows.push(`  - and ${work.subjects.length - 10} more`);
  }
  if (work?.uncommitted === true)
    rows.push("- Note: the agent left changes that it did not commit; they stay in its checkout.");
  rows.push(...notes.map((note) => `- Note: ${inert(note)}`));
  rows.push(`- Run: ${figures(run, now)}`);
  if (next !== null) rows.push(`- Next: ${next}`);
  return rows;
}

function figures(run: Run, now: number): string {
  const took = duration((run.finishedAt ?? now) - run.startedAt);
  const id = `\`${run.id.slice(-8)}\``;
  if (run.report === null) return `${id}, attempt ${run.attempt}, ${took}`;
  return `${id}, ${count(run.report.turns, "turn")}, ${took}, $${run.report.costUsd.toFixed(4)}`;
}

function earlierRuns(runs: readonly Run[], now: number): string {
  const shown = runs.slice(0, earlierShown).map((run) => {
    const end = run.failure === null ? (run.finishedAt === null ? "unfinished" : "done") : run.failure.kind;
    return `- ${new Date(run.startedAt).toISOString().slice(0, 16).replace("T", " ")} UTC: ${end}; ${figures(run, now)}`;
  });
  if (runs.length > earlierShown) shown.push(`- and ${runs.length - earlierShown} more`);
  return `<details><summary>Earlier runs</summary>\n\n${shown.join("\n")}\n\n</details>`;
}

/** A failure's text may end with what a program printed, which is shown as it was, and does nothing. */
function told(failure: string): string {
  const [said = "", ...printed] = failure.split("\n");
  if (printed.length === 0) return `${inert(said)}.`;
  const output = printed.join("\n").replaceAll("<!--", "<\u200b!--");
  const longestRun = Math.max(2, ...[...output.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longestRun + 1);
  return `${inert(said)}\n\n${fence}text\n${output}\n${fence}`;
}

function quote(summary: string): string {
  const cut = summary.length > maxSummary ? `${summary.slice(0, maxSummary)}\n\n(cut)` : summary;
  return cut
    .split("\n")
    .map((line) => `> ${inert(line)}`)
    .join("\n");
}

/** Agents' words notify nobody, hide nothing and forge no marker: mentions, HTML and images are defused. */
export function inert(text: string): string {
  return text
    .replaceAll("<", "&lt;")
    .replaceAll(/!\[/g, "!\u200b[")
    .replaceAll(/(^|[^\w`])@(?=[\w-])/g, "$1@\u200b")
    .replaceAll(/\b(close[sd]?|fix(?:e[sd])?|resolve[sd]?)(:?\s+)(?=[\w./-]*#\d)/gi, "$1$2\u200b");
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;
