import { sql } from "kysely";
import type { LaneKey, SessionId } from "../../domain/ids.ts";
import {
  type StoredEntry,
  seqStep,
  type TranscriptEntry,
  type TranscriptRef,
  type TranscriptSize,
} from "../../domain/transcript.ts";
import type { Database, Handle } from "./handle.ts";

/** The transcripts of all sessions; `subpath` is empty for a session's own lines, and names a sub-agent else. */
export interface TranscriptStore {
  /**
   * Stores what is new of a batch, all or nothing, in its order and after what is there, or at the `seq` that an entry
   * brings. Resolves when it is on disk; rejects with QueueFull where too much waits. A full transcript takes nothing.
   */
  append(ref: TranscriptRef, subpath: string, entries: readonly PlacedEntry[]): Promise<TranscriptSize>;
  /** In order. */
  page(ref: TranscriptRef, subpath: string, page: { after: number; limit: number }): Promise<StoredEntry[]>;
  /** The names of the sub-agents that have lines. */
  subpaths(ref: TranscriptRef): Promise<string[]>;
  /** Null where nothing was ever stored. */
  size(ref: TranscriptRef): Promise<TranscriptSize | null>;
  sessionsOf(lane: LaneKey): Promise<SessionId[]>;
  /** Of all transcripts, as JSON text. */
  totalBytes(): Promise<number>;
  /** Drops the transcripts that were last written before this time and that no session leads to; answers how many. */
  pruneBefore(time: number): Promise<number>;
}

interface PlacedEntry extends TranscriptEntry {
  seq?: number;
}

interface Batch {
  ref: TranscriptRef;
  subpath: string;
  rows: { key: string; seq: number | null; length: number; entry: Uint8Array }[];
}

/** Call it once for a database: it is one channel of the group-commit writer. `maxBytes`: of one session, as JSON text. */
export function createTranscriptStore(db: Database, { maxBytes }: { maxBytes: number }): TranscriptStore {
  const { kysely } = db;
  const channel = db.writer.channel<Batch, TranscriptSize>({
    async write(tx, batches) {
      const sizes: TranscriptSize[] = [];
      for (const batch of batches) sizes.push(await write(tx, batch, maxBytes));
      return sizes;
    },
    bytes: ({ rows }) => rows.reduce((sum, { entry }) => sum + entry.byteLength, 0),
  });
  return {
    append(ref, subpath, entries) {
      const rows = entries.map(({ key, json, seq }) => ({ key, seq: seq ?? null, ...encode(json) }));
      return channel.add({ ref, subpath, rows });
    },
    async page(ref, subpath, { after, limit }) {
      const query = of(kysely.selectFrom("transcript_entries").select(["entry_key", "seq", "entry"]), ref);
      const rows = await query
        .where("subpath", "=", subpath)
        .where("seq", ">", after)
        .orderBy("seq")
        .limit(limit)
        .execute();
      return rows.map(({ entry_key, seq, entry }) => ({ key: entry_key, seq, json: decode(entry) }));
    },
    async subpaths(ref) {
      const query = of(kysely.selectFrom("transcript_entries").select("subpath").distinct(), ref);
      const rows = await query.where("subpath", "<>", "").orderBy("subpath").execute();
      return rows.map(({ subpath }) => subpath);
    },
    size: (ref) => sizeOf(db, ref),
    async sessionsOf(lane) {
      const query = kysely.selectFrom("transcripts").select("session_id").where("lane", "=", lane);
      return (await query.orderBy("last_at").execute()).map(({ session_id }) => session_id as SessionId);
    },
    async totalBytes() {
      const total = sql<number>`cast(coalesce(sum(bytes), 0) as bigint)`.as("total");
      return (await kysely.selectFrom("transcripts").select(total).executeTakeFirstOrThrow()).total;
    },
    pruneBefore: (time) => prune(db, time),
  };
}

/** Rows of one statement. */
const chunk = 500;

async function write(tx: Handle, { ref, subpath, rows }: Batch, maxBytes: number): Promise<TranscriptSize> {
  const before = await sizeOf(tx, ref);
  if (before?.full === true) return before;
  const place = { lane: ref.lane, session_id: ref.session, subpath };
  let last = await lastSeq(tx, ref, subpath);
  const values = rows.map(({ key, seq, entry }) => {
    if (seq === null) last += seqStep;
    return { ...place, entry_key: key, seq: seq ?? last, entry };
  });
  const stored = new Set<string>();
  for (let start = 0; start < values.length; start += chunk) {
    const inserted = await tx.kysely
      .insertInto("transcript_entries")
      .values(values.slice(start, start + chunk))
      .onConflict((conflict) => conflict.columns(["lane", "session_id", "subpath", "entry_key"]).doNothing())
      .returning("entry_key")
      .execute();
    for (const { entry_key } of inserted) stored.add(entry_key);
  }
  const lengths = new Map(rows.map(({ key, length }) => [key, length]));
  const bytes = [...stored].reduce((sum, key) => sum + (lengths.get(key) ?? 0), 0);
  return await grow(tx, ref, { entries: stored.size, bytes, maxBytes });
}

async function lastSeq(tx: Handle, ref: TranscriptRef, subpath: string): Promise<number> {
  const query = of(tx.kysely.selectFrom("transcript_entries").select("seq"), ref).where("subpath", "=", subpath);
  return (await query.orderBy("seq", "desc").limit(1).executeTakeFirst())?.seq ?? 0;
}

interface Growth {
  entries: number;
  bytes: number;
  maxBytes: number;
}

async function grow(tx: Handle, ref: TranscriptRef, { entries, bytes, maxBytes }: Growth): Promise<TranscriptSize> {
  const now = tx.clock.now();
  const row = await tx.kysely
    .insertInto("transcripts")
    .values({
      lane: ref.lane,
      session_id: ref.session,
      entries,
      bytes,
      last_at: now,
      full_at: bytes > maxBytes ? now : null,
    })
    .onConflict((conflict) =>
      conflict.columns(["lane", "session_id"]).doUpdateSet({
        entries: sql<number>`transcripts.entries + excluded.entries`,
        bytes: sql<number>`transcripts.bytes + excluded.bytes`,
        last_at: now,
        full_at: sql<number | null>`case when transcripts.full_at is null
          and transcripts.bytes + excluded.bytes > ${maxBytes} then excluded.last_at else transcripts.full_at end`,
      }),
    )
    .returning(["entries", "bytes", "full_at"])
    .executeTakeFirstOrThrow();
  return { entries: row.entries, bytes: row.bytes, full: row.full_at !== null };
}

async function sizeOf({ kysely }: Handle, ref: TranscriptRef): Promise<TranscriptSize | null> {
  const query = of(kysely.selectFrom("transcripts").select(["entries", "bytes", "full_at"]), ref);
  const row = await query.executeTakeFirst();
  return row ? { entries: row.entries, bytes: row.bytes, full: row.full_at !== null } : null;
}

async function prune(db: Handle, time: number): Promise<number> {
  const { kysely } = db;
  const stale = await kysely
    .selectFrom("transcripts")
    .select(["lane", "session_id"])
    .where("last_at", "<", time)
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom("sessions")
            .select("sessions.lane")
            .whereRef("sessions.lane", "=", "transcripts.lane")
            .whereRef("sessions.session_id", "=", "transcripts.session_id"),
        ),
      ),
    )
    .execute();
  for (const { lane, session_id } of stale) await drop(db, { lane: lane as LaneKey, session: session_id as SessionId });
  return stale.length;
}

/** In slices, so that nobody waits for long; the size goes last, so that a prune that is cut short is done again. */
async function drop({ kysely }: Handle, ref: TranscriptRef): Promise<void> {
  for (;;) {
    const slice = of(kysely.selectFrom("transcript_entries").select(["subpath", "entry_key"]), ref).limit(chunk);
    const rows = await slice.execute();
    if (rows.length === 0) break;
    for (const [subpath, keys] of Map.groupBy(rows, (row) => row.subpath))
      await of(kysely.deleteFrom("transcript_entries"), ref)
        .where("subpath", "=", subpath)
        .where(
          "entry_key",
          "in",
          keys.map(({ entry_key }) => entry_key),
        )
        .execute();
  }
  await of(kysely.deleteFrom("transcripts"), ref).execute();
}

/** The one place that binds a query to lane and session. */
function of<Query extends { where(column: "lane" | "session_id", operator: "=", value: string): Query }>(
  query: Query,
  { lane, session }: TranscriptRef,
): Query {
  return query.where("lane", "=", lane).where("session_id", "=", session);
}

/** Below this, zstd gains nothing worth its time. */
const plainBytes = 512;

function encode(json: string): { length: number; entry: Uint8Array } {
  const plain = Buffer.from(json);
  if (plain.byteLength < plainBytes) return { length: plain.byteLength, entry: plain };
  const packed = Bun.zstdCompressSync(plain, { level: 1 });
  return { length: plain.byteLength, entry: packed.byteLength < plain.byteLength ? packed : plain };
}

/** JSON text never begins as a zstd frame does (RFC 8878, 3.1.1). */
const zstdMagic = [0x28, 0xb5, 0x2f, 0xfd];

function decode(entry: Uint8Array): string | null {
  const isPacked = zstdMagic.every((byte, index) => entry[index] === byte);
  try {
    const plain = isPacked ? Bun.zstdDecompressSync(entry) : entry;
    return new TextDecoder("utf-8", { fatal: true }).decode(plain);
  } catch {
    return null;
  }
}
