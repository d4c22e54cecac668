import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../apps/server/src/infrastructure/clock.ts";
import { openDatabase } from "../apps/server/src/infrastructure/database/open.ts";
import { createSessionStore } from "../apps/server/src/infrastructure/database/sessions.ts";
import { fillSessions } from "./sessions.ts";
import { medians, table } from "./tables.ts";

/** How long a sweep of 100,000 sessions takes, of which 90,000 are stale, and the longest that anything else waits for it. `bun bench/sweep.ts [rounds]` */
const rounds = Number(process.argv[2] ?? 5);
const count = 100_000;
const stale = 90_000;

/** Looks at the event loop as often as it can; answers its longest stall so far, in ms. */
function watchStalls(): { stop(): number } {
  let last = performance.now();
  let longest = 0;
  let stopped = false;
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!stopped) setImmediate(look);
  };
  setImmediate(look);
  return {
    stop() {
      stopped = true;
      return Math.max(longest, performance.now() - last);
    },
  };
}

const folder = mkdtempSync(join(tmpdir(), "claude-hooks-bench-"));
const measured: { ms: number; stall: number }[] = [];
for (let round = 0; round < rounds; round++) {
  await using db = await openDatabase(`sqlite:${join(folder, `${round}.db`)}`, { clock: systemClock });
  await fillSessions(db, { count, stale });
  const store = createSessionStore(db, { maxAgeMs: 86_400_000 });
  const stalls = watchStalls();
  const start = performance.now();
  const swept = await store.sweepStaleSessions();
  const ms = performance.now() - start;
  if (swept !== stale) throw new Error(`${swept} sessions were swept, not ${stale}`);
  if ((await store.listLiveSessionIds()).length !== count - stale) throw new Error("a fresh session was swept");
  measured.push({ ms, stall: stalls.stop() });
}
rmSync(folder, { recursive: true, force: true });
const stalls = measured.map(({ stall }) => stall);
process.stdout.write(
  `${table([
    ["sweep of 90,000 among 100,000", "ms in all", "longest stall, ms", "longest stall of any round, ms"],
    [
      `median of ${rounds}`,
      medians(measured.map(({ ms }) => ms)).toFixed(0),
      medians(stalls).toFixed(1),
      Math.max(...stalls).toFixed(1),
    ],
  ])}\n`,
);
