import { join } from "node:path";
import type { Broker } from "../broker/client.ts";
import type { Config } from "../config/config.ts";
import type { Clock, LaneKey } from "../domain/ids.ts";
import type { Log } from "../domain/log.ts";
import type { Timers } from "../domain/timers.ts";
import type { SessionDesk } from "../http/sessions.ts";
import type { Database } from "../infrastructure/database/handle.ts";
import { createHoldStore } from "../infrastructure/database/lane-holds.ts";
import { createLaneLife } from "../infrastructure/database/lane-life.ts";
import { createSessionRecords } from "../infrastructure/database/session-records.ts";
import { createThreadStore } from "../infrastructure/database/threads.ts";
import type { TranscriptStore } from "../infrastructure/database/transcripts.ts";
import { createGit } from "../infrastructure/git.ts";
import type { Metrics } from "../infrastructure/metrics.ts";
import type { Jail } from "../jail/jail.ts";
import type { Sweeper } from "../runs/sweeper.ts";
import { Mirrors } from "../workdir/mirror.ts";
import type { ForgeUsers } from "./forges.ts";
import { createLaneNames } from "./lane-names.ts";
import { createSessionDesk } from "./session-desk.ts";
import { SessionFiles } from "./session-files.ts";
import type { SessionStores } from "./session-stores.ts";
import { LaneStops } from "./stops.ts";
import { createSweeper, lanesOf } from "./sweeper.ts";
import { Takeovers } from "./takeovers.ts";
import { LaneTranscripts } from "./transcripts.ts";
import { LaneWorkplaces } from "./workplaces.ts";

export interface LaneKeepingDeps {
  config: Config;
  clock: Clock;
  timers: Timers;
  log: Log;
  db: Database;
  jail: Jail;
  users: ForgeUsers;
  sessions: SessionStores;
  metrics: Pick<Metrics, "transcriptFailure">;
  transcriptStore: TranscriptStore;
  broker: Pick<Broker, "open" | "close">;
  wake(lane: LaneKey): void;
}

/** What lanes have from run to run, and how it ends. */
export interface LaneKeeping extends AsyncDisposable {
  mirrors: Mirrors;
  transcripts: LaneTranscripts;
  workplaces: LaneWorkplaces;
  sweeper: Sweeper;
  /** Through it agents run, so that a person can stop one. */
  stops: LaneStops;
  desk: SessionDesk;
  takeovers: Takeovers;
  apply(config: Config): void;
  /** Before anything runs: what a killed service held for itself is let go, and what has expired goes. */
  start(): Promise<void>;
}

const fetchTimeoutMs = 10 * 60_000;

/** Where the SDK and everything else that makes temporary files keeps them. */
export const tmpDirOf = ({ stateDir }: Pick<Config, "stateDir">): string => join(stateDir, "tmp");

export function createLaneKeeping(deps: LaneKeepingDeps): LaneKeeping {
  const { config, db, users, log, jail, sessions, transcriptStore } = deps;
  const folder = join(config.stateDir, "mirrors");
  const mirrors = new Mirrors(createGit(), { folder, group: jail.lanesGroup, fetchTimeoutMs });
  const records = createSessionRecords(db);
  const transcripts = new LaneTranscripts({ ...deps, store: transcriptStore, records, tmpDir: tmpDirOf(config) });
  const workplaces = new LaneWorkplaces({
    ...deps,
    mirrors,
    forgeOf: ({ thread, agent }) => users.as(thread.forge, agent.name),
    begins: async ({ thread }) => void (await createLaneLife(db).reopen(thread.id, lanesOf(config, thread.id))),
    // Looked at without asking for it: asking drops an expired one, and its reason with it.
    keepsUnfinished: async ({ run }) => (await records.get(run.lane)) !== null,
  });
  let current = config;
  const retentionMs = (): number => current.retentionMs;
  const threads = createThreadStore(db);
  const names = createLaneNames(config, threads);
  const stops = new LaneStops();
  const stopRun = (lane: LaneKey, why: string): void => stops.stop(lane, why);
  const takeovers = new Takeovers({ ...deps, mirrors, transcripts, names, stopRun });
  const files = new SessionFiles({ ...deps, records, threads });
  const keeper = {
    pruneBefore: (time: number) => transcriptStore.pruneBefore(time),
    settle: (lane: { key: LaneKey; dir: string }) => transcripts.settle(lane),
  };
  const tmpDir = tmpDirOf(config);
  const sweeper = createSweeper({ ...deps, mirrors, workplaces, retentionMs, transcripts: keeper, tmpDir });
  return {
    mirrors,
    transcripts,
    workplaces,
    sweeper,
    stops,
    takeovers,
    desk: createSessionDesk({ ...deps, mirrors, files, names, transcripts: transcriptStore }),
    apply(next) {
      current = next;
      sessions.apply(next);
    },
    async start() {
      const holds = createHoldStore(db);
      await holds.releaseAll("tidying");
      // In a lane that is held, a person may be at work on what lies there.
      const held = new Set((await holds.list()).map(({ lane }) => lane));
      await transcripts.settleAll((await jail.listLanes()).filter(({ key }) => !held.has(key)));
      await files.importLegacy();
      await takeovers.start();
      const expired = await sessions.largest().sweepStaleSessions();
      log.info({ expired, live: (await sessions.largest().listLiveSessionIds()).length }, "sessions looked through");
    },
    [Symbol.asyncDispose]: () => sweeper.stop(),
  };
}
