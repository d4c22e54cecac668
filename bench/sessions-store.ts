import { closeSync, fsyncSync, mkdtempSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LaneKey, SessionId } from "../apps/server/src/domain/ids.ts";
import { systemClock } from "../apps/server/src/infrastructure/clock.ts";
import { openDatabase } from "../apps/server/src/infrastructure/database/open.ts";
import { createSessionStore } from "../apps/server/src/infrastructure/database/sessions.ts";
import { fillSessions } from "./sessions.ts";
import { medians, table } from "./tables.ts";

/**
 * Milliseconds for the update of one session among many, on disk when it is done: in the service's store, and where one
 * JSON file with all sessions is written anew, synced and renamed. `bun bench/sessions-store.ts [rounds]`
 */
const rounds = Number(process.argv[2] ?? 5);
const sizes = [10, 1_000, 100_000];

interface Design {
  name: string;
  update(lane: string): Promise<void> | void;
  close(): Promise<void> | void;
}

async function database(folder: string, count: number): Promise<Design> {
  const db = await openDatabase(`sqlite:${join(folder, "sessions.db")}`, { clock: systemClock });
  await fillSessions(db, { count, stale: 0 });
  const store = createSessionStore(db, { maxAgeMs: 86_400_000 });
  return {
    name: "store (SQLite, synchronous=FULL)",
    update: (lane) => store.setSession(lane as LaneKey, "session" as SessionId),
    close: () => db.close(),
  };
}

function jsonFile(folder: string, count: number): Design {
  const path = join(folder, "sessions.json");
  const now = Date.now();
  const sessions: Record<string, { id: string; last_used_at: number }> = {};
  for (let index = 0; index < count; index++)
    sessions[`dev:thread-${index}`] = { id: crypto.randomUUID(), last_used_at: now };
  return {
    name: "one JSON file (rename + fsync)",
    update(lane) {
      sessions[lane] = { id: "session", last_used_at: Date.now() };
      const file = openSync(`${path}.new`, "w");
      writeSync(file, JSON.stringify(sessions));
      fsyncSync(file);
      closeSync(file);
      renameSync(`${path}.new`, path);
    },
    close() {},
  };
}

async function perUpdate(design: Design, count: number): Promise<number> {
  const updates = count > 10_000 && design.name.includes("JSON") ? 5 : 100;
  const times: number[] = [];
  for (let index = 0; index < updates; index++) {
    const lane = `dev:thread-${Math.floor(Math.random() * count)}`;
    const start = performance.now();
    await design.update(lane);
    times.push(performance.now() - start);
  }
  return medians(times);
}

const results = new Map<string, number[]>();
const folder = mkdtempSync(join(tmpdir(), "claude-hooks-bench-"));
for (const count of sizes) {
  const designs = [await database(mkdtempSync(join(folder, "db-")), count), jsonFile(folder, count)];
  for (const design of designs) await perUpdate(design, count);
  for (let round = 0; round < rounds; round++) {
    for (const design of designs) {
      const key = `${design.name} ${count}`;
      results.set(key, [...(results.get(key) ?? []), await perUpdate(design, count)]);
    }
  }
  for (const design of designs) await design.close();
}
rmSync(folder, { recursive: true, force: true });

const names = ["store (SQLite, synchronous=FULL)", "one JSON file (rename + fsync)"];
const median = (name: string, count: number) => medians(results.get(`${name} ${count}`) ?? []);
process.stdout.write(
  `${table([
    ["ms per update, of", ...sizes.map((size) => size.toLocaleString("en")), "last / first"],
    ...names.map((name) => [
      name,
      ...sizes.map((size) => median(name, size).toFixed(2)),
      (median(name, sizes.at(-1) ?? 0) / median(name, sizes[0] ?? 0)).toFixed(2),
    ]),
  ])}\n`,
);
