import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import {
  ImportReport,
  SessionDetail,
  SessionFileContent,
  SessionList,
  SessionReset,
  type SessionSummary,
} from "@claude-hooks/api";
import { type Client, ClientError } from "../client.ts";
import { clock, printable, shortId, size, table, took } from "../text.ts";

type Print = (text: string) => void;

export async function listSessions(
  client: Client,
  print: Print,
  options: { limit: string; json?: boolean },
): Promise<void> {
  const list = await client.get(`/sessions?limit=${encodeURIComponent(options.limit)}`, SessionList);
  if (options.json === true) return print(JSON.stringify(list, null, 2));
  if (list.sessions.length === 0) return print("no sessions: an agent's first run on an issue begins one");
  const head = ["LANE", "STATE", "LAST USED (UTC)", "AGE", "LIMIT", "SIZE", "SESSION", "WHAT"];
  print(printable(table([head, ...list.sessions.map(row)])));
  if (list.next !== null) print(`there are more than ${options.limit}: raise --limit`);
}

function row(session: SessionSummary): string[] {
  return [
    session.lane,
    session.state,
    session.last_used_at === null ? "-" : clock(session.last_used_at),
    session.age_ms === null ? "-" : took(session.age_ms),
    took(session.max_age_ms),
    session.transcript_bytes === null ? "-" : size(session.transcript_bytes),
    session.session === null ? "-" : shortId(session.session),
    what(session),
  ];
}

const transcript = ({ transcript_bytes: bytes, transcript_max_bytes: most }: SessionSummary): string | null =>
  bytes === null ? null : `${size(bytes)} of ${size(most)}`;

function what({ stands, held_since: held, archived_at: archived, run }: SessionSummary): string {
  const parts = run === null ? [] : [`run ${shortId(run)} is under way`];
  if (held !== null) parts.push(`held by a person since ${clock(held)}`);
  if (archived !== null) parts.push(`over since ${clock(archived)}`);
  if (stands === "parked") parts.push("parked");
  if (stands !== null) parts.push("its age stands still");
  return parts.join(", ");
}

export async function showSession(
  client: Client,
  print: Print,
  lane: string,
  options: { json?: boolean },
): Promise<void> {
  const session = await client.get(`/sessions/${encodeURIComponent(lane)}`, SessionDetail);
  if (options.json === true) return print(JSON.stringify(session, null, 2));
  const facts: [string, string | null][] = [
    ["lane", session.lane],
    ["session", session.session],
    ["state", [session.state, what(session)].filter((part) => part !== "").join(", ")],
    ["last used", session.last_used_at === null ? null : `${clock(session.last_used_at)} UTC`],
    ["age", session.age_ms === null ? null : `${took(session.age_ms)} of ${took(session.max_age_ms)}`],
    ["transcript", transcript(session)],
    ["not told yet", `${session.waiting_events} events`],
    ["checkout", session.checkout],
    ["kept aside", session.kept.length === 0 ? null : session.kept.join(", ")],
    ["saved work", session.saved.length === 0 ? null : session.saved.join(", ")],
    ["runs", session.runs.length === 0 ? null : session.runs.map(shortId).join(", ")],
  ];
  const known = facts.filter(([, value]) => value !== null);
  print(printable(known.map(([name, value]) => `${name.padEnd(13)} ${value}`).join("\n")));
}

export async function resetSession(client: Client, print: Print, lane: string): Promise<void> {
  const { lane: label, dropped } = await client.send("DELETE", `/sessions/${encodeURIComponent(lane)}`, SessionReset);
  print(dropped ? `${label} forgets: its next run starts fresh` : `${label} has no session`);
}

/** The record format, on standard output or into a new file that only its owner reads. */
export async function exportSessions(client: Client, print: Print, options: { output?: string }): Promise<void> {
  const content = await client.get("/session-file", SessionFileContent);
  const text = JSON.stringify(content, null, 2);
  if (options.output === undefined) return print(text);
  try {
    writeFileSync(options.output, `${text}\n`, { flag: "wx", mode: 0o600 });
  } catch (error) {
    throw new ClientError(`cannot write ${options.output}: ${message(error)}`, { cause: error });
  }
  print(`${Object.keys(content).length} sessions are in ${options.output}`);
}

/** Answers whether everything in the file has found its place. */
export async function importSessions(client: Client, print: Print, path: string): Promise<boolean> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new ClientError(`cannot read ${path}: ${message(error)}`, { cause: error });
  }
  const query = `name=${encodeURIComponent(basename(path))}`;
  const report = await client.send("POST", `/session-file?${query}`, ImportReport, text);
  print(`imported ${report.imported.length}, expired ${report.expired.length}, older than ours ${report.older.length}`);
  for (const fault of report.faults) print(printable(`fault: ${fault}`));
  for (const key of report.unasked) print(printable(`not now: ${key}`));
  if (report.unasked.length > 0) print("import the file again when the forge answers: what is there already stays");
  return report.faults.length === 0 && report.unasked.length === 0;
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));
