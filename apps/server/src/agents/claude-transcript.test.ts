import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LaneKey, SessionId } from "../domain/ids.ts";
import { silentLog } from "../domain/log.ts";
import { systemClock, systemTimers } from "../infrastructure/clock.ts";
import { openDatabase } from "../infrastructure/database/open.ts";
import { createTranscriptStore, type TranscriptStore } from "../infrastructure/database/transcripts.ts";
import { openMirror, projectKeyOf } from "../sessions/transcripts.ts";
import { bash, type Laid, layOut, resumeOf, runReal } from "./testing/places.ts";

// The real binary starts in half a second, on a busy machine in several.
setDefaultTimeout(60_000);

const folder = await mkdtemp(join(tmpdir(), "claude-transcript-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const turns = [
  { when: { prompt: "FRESH" }, steps: [{ tools: bash("echo the-word-is-heron") }, { text: "It is heron." }] },
  { when: { prompt: "RESUMED" }, repeat: true, steps: [{ text: "I remember." }] },
];

/** The place, with the session's lines in the database. */
function stored({ place, cwd }: Laid, store: TranscriptStore): Laid["place"] {
  const deps = { store, timers: systemTimers, log: silentLog, onFailure() {}, onForged() {}, onFull() {} };
  const transcript = (session: SessionId) => openMirror(deps, { lane: "dev:t" as LaneKey, session }, projectKeyOf(cwd));
  return { ...place, transcript };
}

test("a session goes on in another checkout, with another configuration folder, and after its own is gone", async () => {
  await using db = await openDatabase(`sqlite:${join(folder, "a.db")}`, { clock: systemClock });
  const store = createTranscriptStore(db, { maxBytes: 1e9 });
  await using here = await layOut(turns);
  await using there = await layOut(turns);
  const first = await runReal(stored(here, store));
  expect(first.outcome).toMatchObject({ kind: "completed", report: { summary: "It is heron." } });
  await rm(join(here.root, "home"), { recursive: true });
  const choice = resumeOf(first.outcome.session!);
  for (const place of [there, here, there]) {
    const next = await runReal(stored(place, store), { choice });
    expect(next.outcome).toMatchObject({
      kind: "completed",
      session: first.outcome.session,
      start: { kind: "resumed" },
    });
    expect(JSON.stringify(place.model.requests().at(-1)?.body)).toContain("the-word-is-heron");
  }
  expect(there.model.requests().at(-1)?.prefixShare).toBeGreaterThan(0.9);
});

test("a database that does not answer to a resume is the run's failure: the session is neither dropped nor counted", async () => {
  await using db = await openDatabase(`sqlite:${join(folder, "b.db")}`, { clock: systemClock });
  const store = createTranscriptStore(db, { maxBytes: 1e9 });
  await using laid = await layOut(turns);
  const first = await runReal(stored(laid, store));
  const down = { ...store, page: () => Promise.reject(new Error("the database is down")) };
  const choice = resumeOf(first.outcome.session!);
  const { outcome, counted, dropped } = await runReal(stored(laid, down), { choice });
  expect(outcome).toMatchObject({ kind: "failed", start: { kind: "resumed" }, failure: { retryable: true } });
  expect(JSON.stringify(outcome)).toContain("the database is down");
  expect([counted, dropped]).toEqual([[], []]);
});
