import { existsSync } from "node:fs";
import { join } from "node:path";
import type { SessionDetail, SessionSummary } from "@claude-hooks/api";
import type { LaneKey } from "../domain/ids.ts";
import { operator } from "../domain/lane.ts";
import type { SessionRecord } from "../domain/session.ts";
import { DeskError, type SessionDesk } from "../http/sessions.ts";
import type { Handle } from "../infrastructure/database/handle.ts";
import { createInboxStore } from "../infrastructure/database/inbox.ts";
import { createHoldStore } from "../infrastructure/database/lane-holds.ts";
import { createLaneLife } from "../infrastructure/database/lane-life.ts";
import { createLaneStore } from "../infrastructure/database/lanes.ts";
import { createRunStore } from "../infrastructure/database/runs.ts";
import { createSessionRecords } from "../infrastructure/database/session-records.ts";
import { createTaskStore } from "../infrastructure/database/tasks.ts";
import type { TranscriptStore } from "../infrastructure/database/transcripts.ts";
import type { Jail } from "../jail/jail.ts";
import type { Mirrors } from "../workdir/mirror.ts";
import { savedWork } from "../workdir/restore.ts";
import type { FoundLane, LaneNames } from "./lane-names.ts";
import type { SessionFiles } from "./session-files.ts";
import type { SessionStores } from "./session-stores.ts";
import { maxTranscriptBytes } from "./transcripts.ts";

export interface SessionDeskDeps {
  db: Handle;
  jail: Pick<Jail, "listLanes">;
  mirrors: Pick<Mirrors, "mirror">;
  sessions: SessionStores;
  files: SessionFiles;
  names: LaneNames;
  transcripts: Pick<TranscriptStore, "size">;
}

const shownRuns = 5;

export function createSessionDesk(deps: SessionDeskDeps): SessionDesk {
  const { db, names, files } = deps;
  const records = createSessionRecords(db);
  return {
    list: (page) => list(deps, page),
    async show(name) {
      const lane = await names.lane(name);
      return await detail(deps, lane, await records.get(lane.key));
    },
    async reset(name) {
      const lane = await names.lane(name);
      // Its run would store the session again when it ends.
      if ((await createTaskStore(db).runningIn(lane.key)) !== null)
        throw new DeskError(409, `a run of ${lane.label} is under way: wait for its end, or say /stop in the thread`);
      const holding = await createHoldStore(db).get(lane.key);
      if (holding?.kind === "takeover")
        throw new DeskError(
          409,
          `${lane.label} is taken over: hand it back first, with \`claude-hooks handback ${lane.label}\``,
        );
      const session = (await records.get(lane.key))?.id ?? null;
      // On record, so that the next run's receipt says why it starts fresh.
      if (session !== null) await createLaneStore(db).reset(lane.key, { session, by: operator, at: db.clock.now() });
      return { lane: lane.label, dropped: await deps.sessions.of(lane.agentType).deleteSession(lane.key) };
    },
    export: () => files.export(),
    async import(text, file) {
      const report = await files.import(text, file);
      if ("unreadable" in report) throw new DeskError(400, `nothing was imported: ${report.unreadable}`);
      return report;
    },
  };
}

/** Lanes with a session, by lane; lanes that are held without one come first of all. */
async function list(
  deps: SessionDeskDeps,
  { after, limit }: { after: string | null; limit: number },
): ReturnType<SessionDesk["list"]> {
  const records = createSessionRecords(deps.db);
  const page = await records.list({ limit, ...(after === null ? {} : { after: after as LaneKey }) });
  const held = after === null ? await heldWithout(deps) : [];
  const lanes: [LaneKey, SessionRecord | null][] = [
    ...held.map((lane): [LaneKey, null] => [lane, null]),
    ...page.map((record): [LaneKey, SessionRecord] => [record.lane, record]),
  ];
  const summaries = await Promise.all(
    lanes.map(async ([key, record]) => {
      const lane = await deps.names.ofKey(key);
      return lane === null ? null : await summary(deps, lane, record);
    }),
  );
  const next = page.length === limit ? (page.at(-1)?.lane ?? null) : null;
  return { sessions: summaries.filter((each) => each !== null), next };
}

async function heldWithout({ db }: SessionDeskDeps): Promise<LaneKey[]> {
  const records = createSessionRecords(db);
  const held = (await createHoldStore(db).list()).filter(({ kind }) => kind === "takeover");
  const without = await Promise.all(held.map(async ({ lane }) => ((await records.get(lane)) === null ? lane : null)));
  return without.filter((lane) => lane !== null);
}

async function summary(
  { db, sessions, transcripts }: SessionDeskDeps,
  { key, agentType, thread, label }: FoundLane,
  record: SessionRecord | null,
): Promise<SessionSummary> {
  const [hold, running, archivedAt, size] = await Promise.all([
    createHoldStore(db).get(key),
    createTaskStore(db).runningIn(key),
    createLaneLife(db).archivedAt(thread.id),
    record === null ? null : transcripts.size({ lane: key, session: record.id }),
  ]);
  const maxAgeMs = sessions.maxAgeMs(agentType);
  const held = hold?.kind === "takeover" ? hold.since : null;
  return {
    lane: label,
    agent: agentType,
    thread: `${thread.repository}#${thread.number}`,
    session: record?.id ?? null,
    last_used_at: record?.lastUsedAt ?? null,
    age_ms: record?.ageMs ?? null,
    max_age_ms: maxAgeMs,
    transcript_bytes: size?.bytes ?? null,
    transcript_max_bytes: maxTranscriptBytes,
    state: record === null ? "none" : record.ageMs > maxAgeMs ? "expired" : "live",
    stands: held !== null ? "held" : archivedAt !== null ? "archived" : record?.stands === true ? "parked" : null,
    held_since: held,
    archived_at: archivedAt,
    run: running?.run ?? null,
  };
}

async function detail(deps: SessionDeskDeps, lane: FoundLane, record: SessionRecord | null): Promise<SessionDetail> {
  const { db, jail, mirrors } = deps;
  const place = (await jail.listLanes()).find(({ key }) => key === lane.key);
  const mirror = mirrors.mirror(lane.thread.forge, lane.thread.repositoryId);
  const checkout = place === undefined ? null : join(place.dir, "checkout");
  const [runs, waiting, saved] = await Promise.all([
    createRunStore(db).list({ lane: lane.key, limit: shownRuns }),
    createInboxStore(db).pending(lane.key),
    mirror.exists().then((exists) => (exists ? savedWork(mirror, lane.key) : [])),
  ]);
  return {
    ...(await summary(deps, lane, record)),
    checkout: checkout !== null && existsSync(checkout) ? checkout : null,
    kept: place?.kept.map(({ path }) => path) ?? [],
    saved: saved.map(({ ref }) => ref),
    waiting_events: waiting.length,
    runs: runs.map(({ id }) => id),
  };
}
