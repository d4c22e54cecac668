import { lchownSync, renameSync, symlinkSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { LaneKey, SessionId } from "../domain/ids.ts";
import type { Log } from "../domain/log.ts";
import type { Timers } from "../domain/timers.ts";
import type { TranscriptFound, TranscriptRef } from "../domain/transcript.ts";
import type { SessionRecords } from "../infrastructure/database/session-records.ts";
import type { TranscriptStore } from "../infrastructure/database/transcripts.ts";
import type { Metrics } from "../infrastructure/metrics.ts";
import { inside } from "../jail/inside.ts";
import { giveToLane, type Lane } from "../jail/lanes.ts";
import { removeTree } from "../jail/remove.ts";
import { lookAtTranscript, openMirror, projectKeyOf, type TranscriptMirror } from "../sessions/transcripts.ts";
import { readTranscriptFolder, writeTranscriptFolder } from "../sessions/transcripts-folder.ts";
import { takeIn } from "../sessions/transcripts-take-in.ts";

/**
 * Of one session, as JSON text. A context window of 200,000 tokens is about 1 MB, so this is some thirty of them with all
 * that was compacted away; a resume reads and writes it whole.
 */
export const maxTranscriptBytes = 32 * 1024 * 1024;

export interface TranscriptDeps {
  store: TranscriptStore;
  records: Pick<SessionRecords, "get">;
  timers: Timers;
  log: Log;
  metrics: Pick<Metrics, "transcriptFailure">;
  /** The service's own TMPDIR, in which the SDK lays transcripts out for a resume. */
  tmpDir: string;
}

type LaneDir = Pick<Lane, "key" | "dir">;

/** Below the lane's folder: the configuration folder of its last resumed agent, until what it holds is stored. */
const resumeFolder = "resume";
const projectKey = projectKeyOf(inside.checkout);

/**
 * The transcripts of the lanes' agents. The database holds them; what an agent's process writes to its configuration
 * folder (in the lane's HOME for a new session, in a folder of the SDK's for a resumed one) only bridges the time until
 * its lines are stored, and is removed then.
 */
export class LaneTranscripts {
  readonly #deps: TranscriptDeps;

  constructor(deps: TranscriptDeps) {
    this.#deps = deps;
  }

  look(ref: TranscriptRef): Promise<TranscriptFound> {
    return lookAtTranscript(this.#deps.store, ref);
  }

  /** For the SDK: takes the session's lines, and gives them back to a resume. `onFull` is called once, when its limit is reached. */
  open(ref: TranscriptRef, onFull: (bytes: number) => void): TranscriptMirror {
    const { store, timers, log, metrics } = this.#deps;
    const mirror = {
      store,
      timers,
      log,
      onFailure: () => metrics.transcriptFailure("not-stored"),
      onForged: () => metrics.transcriptFailure("forged"),
      onFull({ bytes }: { bytes: number }) {
        metrics.transcriptFailure("full");
        log.warn({ ...ref, bytes, maxTranscriptBytes }, "the transcript is full: this session is not resumed any more");
        onFull(bytes);
      },
    };
    return openMirror(mirror, ref, projectKey);
  }

  /**
   * Takes over the folder that the SDK made for a resume, before the agent starts: the SDK removes its own as soon as the
   * process ends, and with it what was not stored by then. A link stays in its place for the jail to follow.
   */
  adopt(lane: Lane, configDir: string | undefined): void {
    if (configDir === undefined || dirname(configDir) !== this.#deps.tmpDir) return;
    const kept = join(lane.dir, resumeFolder);
    renameSync(configDir, kept);
    giveToLane(lane, kept, lchownSync);
    symlinkSync(kept, configDir);
  }

  /**
   * After a run: nothing of the lane may be running. `isWhole` says that every line is stored; else what the local
   * transcripts have beyond it is stored first. They go only when that worked, else the lane's next run tries again.
   */
  async end(lane: LaneDir, isWhole: boolean): Promise<void> {
    try {
      if (!isWhole) await this.settle(lane);
      else for (const { parent, name } of placesOf(lane)) await removeTree(join(parent, name));
    } catch (error) {
      const fields = { lane: lane.key, error };
      this.#deps.log.error(fields, "local transcripts could not be stored; they stay and are tried again");
    }
  }

  /** Stores what a lane's local transcripts have and the database lacks, then removes them; answers how many lines that were. */
  async settle(lane: LaneDir): Promise<number> {
    let taken = 0;
    for (const place of placesOf(lane)) {
      if (!(await isThere(join(place.parent, place.name)))) continue;
      for (const session of await this.#sessionsOf(lane.key)) {
        const local = await readTranscriptFolder(place, { projectKey, session, maxBytes: 2 * maxTranscriptBytes });
        taken += await takeIn(this.#deps.store, { lane: lane.key, session }, local);
      }
      await removeTree(join(place.parent, place.name));
    }
    if (taken > 0)
      this.#deps.log.warn({ lane: lane.key, lines: taken }, "transcript lines were taken in from a lane's folder");
    return taken;
  }

  /**
   * For the sweeper and for the start of the service, while none of these lanes runs: settles each, and removes what the
   * SDK left in the temporary folder, which no agent has written to.
   */
  async settleAll(lanes: readonly LaneDir[]): Promise<number> {
    let taken = 0;
    for (const lane of lanes) {
      try {
        taken += await this.settle(lane);
      } catch (error) {
        this.#deps.log.error({ lane: lane.key, error }, "what the lane left could not be stored; it stays");
      }
    }
    const names = await readdir(this.#deps.tmpDir);
    for (const name of names.filter((each) => each.startsWith("claude-resume-")))
      await removeTree(join(this.#deps.tmpDir, name));
    return taken;
  }

  /**
   * Writes a session's transcript into the lane's HOME, for a program that resumes from there, as a person's; what that
   * adds, {@link settle} takes in. False where nothing is stored. Nothing of the lane may be running.
   */
  async layOut(lane: Lane, session: SessionId): Promise<boolean> {
    await this.settle(lane);
    const transcript = this.open({ lane: lane.key, session }, () => {});
    const key = { projectKey, sessionId: session };
    const lines = await transcript.load(key);
    if (lines === null) return false;
    const place = { parent: lane.home, name: ".claude" };
    await writeTranscriptFolder(place, { projectKey, session }, [
      { subpath: "", lines },
      ...(await Promise.all(
        (
          await transcript.listSubkeys(key)
        ).map(async (subpath) => ({
          subpath,
          lines: (await transcript.load({ ...key, subpath })) ?? [],
        })),
      )),
    ]);
    giveToLane(lane, join(lane.home, place.name), lchownSync);
    return true;
  }

  /** Those that are the lane's own on our record: a file of another name is not taken for one. */
  async #sessionsOf(lane: LaneKey): Promise<SessionId[]> {
    const { store, records } = this.#deps;
    const current = await records.get(lane);
    return [...new Set([...(await store.sessionsOf(lane)), ...(current === null ? [] : [current.id])])];
  }
}

const placesOf = ({ dir }: LaneDir) => [
  { parent: join(dir, "home"), name: ".claude" },
  { parent: dir, name: resumeFolder },
];

async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}
