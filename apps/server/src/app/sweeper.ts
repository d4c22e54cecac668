import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import type { Clock, LaneKey, ThreadId } from "../domain/ids.ts";
import { laneKey, laneParts } from "../domain/ids.ts";
import type { Log } from "../domain/log.ts";
import type { Timers } from "../domain/timers.ts";
import type { Database } from "../infrastructure/database/handle.ts";
import { createHoldStore } from "../infrastructure/database/lane-holds.ts";
import { createLaneLife } from "../infrastructure/database/lane-life.ts";
import { createRunStore } from "../infrastructure/database/runs.ts";
import { createSessionRecords } from "../infrastructure/database/session-records.ts";
import { createTaskStore } from "../infrastructure/database/tasks.ts";
import { createThreadStore } from "../infrastructure/database/threads.ts";
import { createGit } from "../infrastructure/git.ts";
import type { Jail } from "../jail/jail.ts";
import { Sweeper, type SweeperDeps } from "../runs/sweeper.ts";
import type { PutAway } from "../runs/tidy.ts";
import type { Mirror, Mirrors } from "../workdir/mirror.ts";
import { sweepMirrors } from "../workdir/mirror-leftovers.ts";
import type { ForgeUsers } from "./forges.ts";
import type { SessionStores } from "./session-stores.ts";
import type { LaneWorkplaces } from "./workplaces.ts";

/** What the keeper of transcripts does for the sweeper. */
interface TranscriptKeeper {
  /** Drops those that no session leads to and that were not written since; answers how many. */
  pruneBefore(time: number): Promise<number>;
  /** Stores what the lane's folder has and the database lacks. */
  settle(lane: { key: LaneKey; dir: string }): Promise<number>;
}

export interface SweeperParts {
  config: Config;
  clock: Clock;
  timers: Timers;
  log: Log;
  db: Database;
  jail: Jail;
  mirrors: Mirrors;
  users: ForgeUsers;
  sessions: SessionStores;
  workplaces: LaneWorkplaces;
  transcripts: TranscriptKeeper;
  tmpDir: string;
  retentionMs(): number;
  wake(lane: LaneKey): void;
}

/** The lanes that a thread has or had. */
export const lanesOf = (config: Pick<Config, "agents">, thread: ThreadId): LaneKey[] =>
  Object.keys(config.agents).map((agent) => laneKey(agent, thread));

export function createSweeper(parts: SweeperParts): Sweeper {
  const { clock, timers, log, db, jail, users } = parts;
  const tasks = createTaskStore(db);
  const runs = createRunStore(db);
  const threads = createThreadStore(db);
  return new Sweeper({
    clock,
    timers,
    log,
    retentionMs: () => parts.retentionMs(),
    wake: (lane) => parts.wake(lane),
    holds: createHoldStore(db),
    threads,
    places: {
      listLanes: () => jail.listLanes(),
      removeKept: (lane, stamp) => jail.removeKept(lane, stamp),
      clearRemovals: () => jail.clearRemovals(),
      async removeLane(lane) {
        await parts.transcripts.settle(await jail.openLane(lane));
        await jail.removeLane(lane);
      },
    },
    isRunning: async (lane) => (await tasks.runningIn(lane)) !== null,
    putAway: (lane, signal) => putAway(parts, lane, signal),
    sessions: sessionsFor(parts),
    life: lifeFor(parts),
    async lastRunAt(lane) {
      const run = await runs.latestForLane(lane);
      return run === null ? null : (run.finishedAt ?? run.startedAt);
    },
    repositoryName: async (forge, id) => (await users.service(forge).repository(id)).name,
    async state(thread, repository) {
      const forge = users.service(thread.forge);
      // Of a pull request `issue` would take two calls.
      const look = (): Promise<{ state: "open" | "closed" }> =>
        thread.kind === "issue" ? forge.issue(repository, thread.number) : forge.pullRequest(repository, thread.number);
      return (await look()).state;
    },
    leftovers: leftoversFor(parts),
  });
}

function sessionsFor({ db, sessions }: SweeperParts): SweeperDeps["sessions"] {
  const records = createSessionRecords(db);
  return {
    sweepStaleSessions: () => sessions.largest().sweepStaleSessions(),
    listLiveSessionIds: () => sessions.largest().listLiveSessionIds(),
    idOf: async (lane) => (await records.get(lane))?.id ?? null,
  };
}

function lifeFor({ db, config }: SweeperParts): SweeperDeps["life"] {
  const life = createLaneLife(db);
  return {
    archive: (thread) => life.archive(thread, lanesOf(config, thread)),
    archivedAt: (thread) => life.archivedAt(thread),
    dropArchivedBefore: (time) => life.dropArchivedBefore(time),
  };
}

function leftoversFor(parts: SweeperParts): SweeperDeps["leftovers"] {
  const { mirrors, log } = parts;
  const isInUse = (mirror: Mirror): Promise<boolean> => mirrorInUse(parts, mirror);
  return [
    { name: "transcripts", sweep: (before) => parts.transcripts.pruneBefore(before) },
    { name: "temporary folders", sweep: () => sweepTemporary(parts) },
    {
      name: "mirrors",
      sweep: (before, signal) => sweepMirrors({ git: createGit(), mirrors, log, isInUse }, before, signal),
    },
  ];
}

const publishedRuns = 100;

async function putAway({ db, workplaces }: SweeperParts, lane: LaneKey, signal: AbortSignal): Promise<PutAway> {
  const thread = await createThreadStore(db).get(laneParts(lane).thread);
  if (thread === null) return { kind: "failed", detail: "its thread is not on record" };
  const runs = await createRunStore(db).list({ lane, limit: publishedRuns });
  const onForge = [...new Set(runs.flatMap(({ headAfter }) => headAfter ?? []))];
  return await workplaces.putAway({ lane, thread, onForge }, signal);
}

/** By a run, or by a person who holds a lane. */
async function mirrorInUse({ db, mirrors }: SweeperParts, mirror: Mirror): Promise<boolean> {
  const [running, held] = await Promise.all([createTaskStore(db).running(), createHoldStore(db).list()]);
  const ids = new Set([...running.map(({ thread }) => thread), ...held.map(({ lane }) => laneParts(lane).thread)]);
  const used = await Promise.all([...ids].map((id) => createThreadStore(db).get(id)));
  return used.some((thread) => thread !== null && mirrors.mirror(thread.forge, thread.repositoryId) === mirror);
}

const settledMs = 3_600_000;

/** What a killed service left of resumes; one that a run may still use is younger than that run. */
async function sweepTemporary({ db, clock, tmpDir }: SweeperParts): Promise<number> {
  const unfinished = await createRunStore(db).unfinished();
  const before = Math.min(clock.now() - settledMs, ...unfinished.map(({ startedAt }) => startedAt));
  let swept = 0;
  for (const name of await readdir(tmpDir)) {
    const path = join(tmpDir, name);
    const found = name.startsWith("claude-resume-") ? await lstat(path).catch(() => null) : null;
    if (found === null || found.ctimeMs >= before) continue;
    // Where an agent wrote to it, a link is all that is left here, and the folder is its lane's.
    await rm(path, { recursive: true, force: true });
    swept += 1;
  }
  return swept;
}
