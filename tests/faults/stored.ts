import { Database } from "bun:sqlite";
import { join } from "node:path";

export interface StoredRow {
  id: string;
  uuid: string;
  state: string;
  reason: string | null;
  body: Uint8Array;
}

/** Every delivery in the database file of a service that may be running; the file is only read. */
export function storedDeliveries(stateDir: string): StoredRow[] {
  using database = new Database(join(stateDir, "claude-hooks.db"), { readonly: true });
  const rows = database.query("select id, uuid, state, reason, body from deliveries order by id").all() as StoredRow[];
  return rows.map((row) => ({ ...row, body: new Uint8Array(Bun.zstdDecompressSync(row.body)) }));
}
