import type { RunId } from "../../domain/ids.ts";
import type { Database } from "./handle.ts";

/** What an agent's process said, entry by entry; `json` is as it came, and untrusted. */
export interface StreamEntry {
  seq: number;
  /** Ms since the epoch. */
  at: number;
  json: string;
}

export interface RunStreamStore {
  /** Resolves when it is on disk; rejects with QueueFull where too much waits, and where the run has this `seq` already. */
  appendStream(run: RunId, seq: number, at: number, json: string): Promise<void>;
  /** By `seq`, ascending. */
  stream(run: RunId, page?: { after?: number; limit?: number }): Promise<StreamEntry[]>;
}

interface Row {
  run_id: string;
  seq: number;
  at: number;
  entry: string;
}

/** Call it once for a database: it is one channel of the group-commit writer. */
export function createRunStream({ kysely, writer }: Database): RunStreamStore {
  const channel = writer.channel<Row, void>({
    async write(tx, rows) {
      await tx.kysely.insertInto("run_stream").values(rows).execute();
      return rows.map(() => undefined);
    },
    bytes: ({ entry }) => entry.length,
  });
  return {
    appendStream: (run, seq, at, json) => channel.add({ run_id: run, seq, at, entry: json }),
    async stream(run, { after = -1, limit = 500 } = {}) {
      const query = kysely.selectFrom("run_stream").select(["seq", "at", "entry as json"]).where("run_id", "=", run);
      return query.where("seq", ">", after).orderBy("seq").limit(limit).execute();
    },
  };
}
