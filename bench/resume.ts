import { randomUUID } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClaudePlace } from "../apps/server/src/agents/claude.ts";
import { type Laid, layOut, resumeOf, runReal, scriptOf } from "../apps/server/src/agents/testing/places.ts";
import { type AgentWorld, lane, type Machine, openAgentWorld } from "../apps/server/src/app/testing/agent-world.ts";
import type { LaneKey, SessionId } from "../apps/server/src/domain/ids.ts";
import { silentLog } from "../apps/server/src/domain/log.ts";
import { systemClock, systemTimers } from "../apps/server/src/infrastructure/clock.ts";
import type { Database } from "../apps/server/src/infrastructure/database/handle.ts";
import { openDatabase } from "../apps/server/src/infrastructure/database/open.ts";
import { createTranscriptStore, type TranscriptStore } from "../apps/server/src/infrastructure/database/transcripts.ts";
import { openMirror, projectKeyOf } from "../apps/server/src/sessions/transcripts.ts";
import { parseLine } from "../apps/server/src/sessions/transcripts-lines.ts";
import { takeIn } from "../apps/server/src/sessions/transcripts-take-in.ts";
import { medians, table } from "./tables.ts";

/**
 * What a session that is gone costs before the fresh start's first API request, how a resume from the database compares
 * with one from a local transcript, and how much of a resumed session's input the prompt cache knows. The agent binary is
 * the real one, the model scripted. `bun bench/resume.ts [rounds]`
 */
const rounds = Number(process.argv[2] ?? 5);
const script = scriptOf([
  { when: { prompt: "FRESH" }, repeat: true, steps: [{ text: "Begun." }] },
  { when: { prompt: "RESUMED" }, repeat: true, steps: [{ text: "Gone on." }] },
]);
const folder = mkdtempSync(join(tmpdir(), "claude-hooks-bench-"));
chmodSync(folder, 0o755);
const print = (rows: readonly (readonly string[])[]): void => void process.stdout.write(`${table(rows)}\n\n`);
const middle = (values: readonly number[]): string => medians(values).toFixed(0);

/** Milliseconds until the model is asked the first time, and what the run came to. */
async function firstRequest<T>(model: Laid["model"], run: () => Promise<T>): Promise<{ ms: number; outcome: T }> {
  const known = model.requests().length;
  const start = performance.now();
  const asked = model.waitForRequest(({ number }) => number > known).then(() => performance.now() - start);
  const outcome = await run();
  return { ms: await asked, outcome };
}

type Loss = (world: AgentWorld, db: Database) => Promise<unknown>;
const lost: Record<string, { lose: Loss; naive: boolean }> = {
  "expired, found out first": { lose: (_, db) => age(db), naive: false },
  "transcript missing, found out first": { lose: (_, db) => clear(db), naive: false },
  "transcript missing, resumed all the same": { lose: (_, db) => clear(db), naive: true },
};
const age = (db: Database) => db.kysely.updateTable("sessions").set({ aged_from: 1, last_used_at: 1 }).execute();
const clear = (db: Database) => db.kysely.deleteFrom("transcript_entries").execute();

async function lostSessions(): Promise<void> {
  const db = await openDatabase(`sqlite:${join(folder, "lost.db")}`, { clock: systemClock });
  const world = await openAgentWorld(join(folder, "lost"), db, script);
  const machine = await world.machine("here");
  const times = new Map<string, number[]>();
  const spent = new Map<string, number>();
  const note = (name: string, ms: number) => times.set(name, [...(times.get(name) ?? []), ms]);
  await machine.run();
  for (let round = 0; round < rounds; round++) {
    await world.sessions.deleteSession(lane);
    note("none: a fresh start", (await firstRequest(world.model, () => machine.run())).ms);
    for (const [name, { lose, naive }] of Object.entries(lost)) {
      await lose(world, db);
      const { ms, processes } = await lostOnce(world, machine, naive);
      note(name, ms);
      spent.set(name, processes - 1);
    }
  }
  await world[Symbol.asyncDispose]();
  await db.close();
  print([
    ["a session that is gone", "ms to the first API request", "processes spent on the resume"],
    ...[...times].map(([name, ms]) => [name, middle(ms), String(spent.get(name) ?? 0)]),
  ]);
}

async function lostOnce(world: AgentWorld, machine: Machine, naive: boolean) {
  const before = machine.spawned();
  const { ms, outcome } = await firstRequest(world.model, () => machine.run({ trusting: naive }));
  if (outcome.start.kind !== "fresh" || outcome.kind !== "completed") throw new Error(JSON.stringify(outcome));
  return { ms, processes: machine.spawned() - before };
}

async function cachedShare(): Promise<void> {
  const db = await openDatabase(`sqlite:${join(folder, "share.db")}`, { clock: systemClock });
  const world = await openAgentWorld(join(folder, "share"), db, script);
  const machine = await world.machine("here");
  await machine.run();
  const shares: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await machine.run();
    shares.push((world.model.requests().at(-1)?.prefixShare ?? 0) * 100);
  }
  await world[Symbol.asyncDispose]();
  await db.close();
  print([
    ["share of a resumed event's input that is the previous request's prefix", "median %", "lowest %"],
    [`${rounds} events`, medians(shares).toFixed(1), Math.min(...shares).toFixed(1)],
  ]);
}

const sizes = [0.1, 1, 10];

async function databaseAgainstLocal(): Promise<void> {
  await using db = await openDatabase(`sqlite:${join(folder, "sizes.db")}`, { clock: systemClock });
  const store = createTranscriptStore(db, { maxBytes: 1e9 });
  const rows: string[][] = [["ms to the first API request, transcript of", "local", "database", "database / local"]];
  for (const megabytes of sizes) {
    const here = await grown(megabytes, store);
    const times = { local: [] as number[], database: [] as number[] };
    for (let round = 0; round < rounds; round++)
      for (const kind of ["local", "database"] as const) {
        const place = kind === "local" ? here.laid.place : here.stored;
        const choice = resumeOf(here.session);
        const { ms, outcome } = await firstRequest(here.laid.model, () => runReal(place, { choice }));
        if (outcome.outcome.start.kind !== "resumed") throw new Error(JSON.stringify(outcome.outcome));
        times[kind].push(ms);
      }
    await here.laid[Symbol.asyncDispose]();
    const ratio = medians(times.database) / medians(times.local);
    rows.push([`${megabytes} MB`, middle(times.local), middle(times.database), ratio.toFixed(2)]);
  }
  print(rows);
}

/** A session whose transcript has grown to this size, by what was said on a branch that was left: it is read, and not sent. */
async function grown(megabytes: number, store: TranscriptStore) {
  const laid = await layOut(script.agents[0]?.turns ?? []);
  const first = await runReal(laid.place);
  const session = first.outcome.session as SessionId;
  const project = join(laid.root, "home", ".claude", "projects", projectKeyOf(laid.cwd));
  const file = join(project, `${session}.jsonl`);
  await mkdir(project, { recursive: true });
  const real = await readFile(file, "utf8");
  const [template] = real
    .split("\n")
    .map(parseLine)
    .filter((line) => line?.type === "user");
  const old: string[] = [];
  let parent: string | null = null;
  for (let bytes = real.length; bytes < megabytes * 1024 * 1024; bytes += old.at(-1)?.length ?? 0) {
    const uuid: string = randomUUID();
    const message = { role: "user", content: `${uuid} `.repeat(55) };
    old.push(JSON.stringify({ ...template, uuid, parentUuid: parent, message, timestamp: "2020-01-01T00:00:00.000Z" }));
    parent = uuid;
  }
  await Bun.write(file, "");
  await appendFile(file, `${old.join("\n")}\n${real}`);
  const ref = { lane: "dev:t" as LaneKey, session };
  const lines = [...old, ...real.split("\n")].map(parseLine).filter((line) => line !== null);
  await takeIn(store, ref, [{ subpath: "", lines }]);
  const deps = { store, timers: systemTimers, log: silentLog, onFailure() {}, onForged() {}, onFull() {} };
  const transcript = () => openMirror(deps, ref, projectKeyOf(laid.cwd));
  const stored: ClaudePlace = { ...laid.place, transcript };
  return { laid, session, stored };
}

await lostSessions();
await databaseAgainstLocal();
await cachedShare();
rmSync(folder, { recursive: true, force: true });
