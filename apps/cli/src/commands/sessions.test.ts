import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SessionSummary } from "@claude-hooks/api";
import type { Client } from "../client.ts";
import { exportSessions, importSessions, listSessions, resetSession, showSession } from "./sessions.ts";

const folder = mkdtempSync(join(tmpdir(), "claude-hooks-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

function serve(answer: unknown) {
  const asked: unknown[][] = [];
  const lines: string[] = [];
  const send = async (...request: unknown[]) => {
    asked.push(request);
    return answer;
  };
  const client = { send, get: (path: string, schema: unknown) => send("GET", path, schema) } as unknown as Client;
  return { asked, lines, client, print: (line: string) => void lines.push(line) };
}

const hour = 3_600_000;
const session = (over: Partial<SessionSummary> = {}): SessionSummary => ({
  lane: "dev:acme/widgets#1",
  agent: "dev",
  thread: "acme/widgets#1",
  session: "5c96e80e-fdeb-44c6-9bbb-54c400f7dc2c",
  last_used_at: Date.UTC(2026, 0, 5, 9),
  age_ms: 3 * hour,
  max_age_ms: 24 * hour,
  transcript_bytes: 3 * 1_048_576,
  transcript_max_bytes: 32 * 1_048_576,
  state: "live",
  stands: null,
  held_since: null,
  archived_at: null,
  run: null,
  ...over,
});

describe("sessions ls", () => {
  test("shows each lane with what holds it, and that there are more", async () => {
    const held = session({ lane: "dev:acme/widgets#2", stands: "held", held_since: Date.UTC(2026, 0, 5, 10) });
    const bare = session({
      lane: "dev:acme/widgets#3",
      state: "none",
      session: null,
      last_used_at: null,
      age_ms: null,
      transcript_bytes: null,
    });
    const { lines, client, print } = serve({ sessions: [session(), held, bare], next: "dev:3" });
    await listSessions(client, print, { limit: "3" });
    const rows = lines[0]!.split("\n");
    expect(rows[1]).toMatch(/^dev:acme\/widgets#1 +live +2026-01-05 09:00:00 +3 h +24 h +3.0 MB +00f7dc2c/);
    expect(rows[2]).toContain("held by a person since 2026-01-05 10:00:00, its age stands still");
    expect(rows[3]).toMatch(/#3 +none +- +- +24 h +- +-/);
    expect(lines[1]).toBe("there are more than 3: raise --limit");
  });

  test("says what begins a session where there is none", async () => {
    const { lines, client, print } = serve({ sessions: [], next: null });
    await listSessions(client, print, { limit: "3" });
    expect(lines).toEqual(["no sessions: an agent's first run on an issue begins one"]);
  });
});

test("sessions show tells where its work is, and sends no control characters", async () => {
  const detail = {
    ...session({ stands: "archived", archived_at: Date.UTC(2026, 0, 6) }),
    checkout: null,
    kept: ["/state/kept-\u001b[31m"],
    saved: ["refs/claude-hooks/dev/x/saved/1"],
    waiting_events: 2,
    runs: ["01a2052b-aaaa-7345-a8ed-00001341d85e"],
  };
  const { asked, lines, client, print } = serve(detail);
  await showSession(client, print, "dev:acme/widgets#1", {});
  expect(asked[0]?.[1]).toBe("/sessions/dev%3Aacme%2Fwidgets%231");
  expect(lines[0]).toContain("live, over since 2026-01-06 00:00:00, its age stands still");
  expect(lines[0]).toContain("saved work    refs/claude-hooks/dev/x/saved/1");
  expect(lines[0]).toContain("kept-\\u001b[31m");
  expect(lines[0]).not.toContain("\u001b");
});

test.each([
  [true, "dev:acme/widgets#1 forgets: its next run starts fresh"],
  [false, "dev:acme/widgets#1 has no session"],
])("sessions reset says whether there was one (%p)", async (dropped, said) => {
  const { asked, lines, client, print } = serve({ lane: "dev:acme/widgets#1", dropped });
  await resetSession(client, print, "dev:acme/widgets#1");
  expect(asked[0]?.slice(0, 2)).toEqual(["DELETE", "/sessions/dev%3Aacme%2Fwidgets%231"]);
  expect(lines).toEqual([said]);
});

test("sessions export writes a new file for its owner alone, and never over another", async () => {
  const content = { "dev:acme/widgets#1": { id: "x", last_used_at: 1 } };
  const { lines, client, print } = serve(content);
  const output = join(folder, "out.json");
  await exportSessions(client, print, { output });
  expect(JSON.parse(readFileSync(output, "utf8"))).toEqual(content);
  expect(statSync(output).mode & 0o777).toBe(0o600);
  expect(lines).toEqual([`1 sessions are in ${output}`]);
  const again = await exportSessions(client, print, { output }).catch((error: unknown) => error);
  expect(String(again)).toContain("EEXIST");
  await exportSessions(client, print, {});
  expect(JSON.parse(lines[1]!)).toEqual(content);
});

test("sessions import hands the file over as it is, and tells what did not find its place", async () => {
  const path = join(folder, "sessions.json");
  writeFileSync(path, "{ oops");
  const report = {
    imported: ["a"],
    expired: ["b", "c"],
    older: [],
    faults: ["sessions.json:1:3: no"],
    unasked: ["d: down"],
  };
  const { asked, lines, client, print } = serve(report);
  expect(await importSessions(client, print, path)).toBe(false);
  expect(asked[0]?.[1]).toBe("/session-file?name=sessions.json");
  expect(asked[0]?.[3]).toBe("{ oops");
  expect(lines).toEqual([
    "imported 1, expired 2, older than ours 0",
    "fault: sessions.json:1:3: no",
    "not now: d: down",
    "import the file again when the forge answers: what is there already stays",
  ]);
  const whole = serve({ ...report, faults: [], unasked: [] });
  expect(await importSessions(whole.client, whole.print, path)).toBe(true);
  const absent = await importSessions(client, print, join(folder, "absent")).catch((error: unknown) => error);
  expect(String(absent)).toContain("cannot read");
});
