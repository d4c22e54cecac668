import { type Kysely, sql } from "kysely";
import type { Clock } from "../../domain/ids.ts";
import { DatabaseError } from "./errors.ts";
import type { DialectName } from "./handle.ts";
import type { Schema } from "./schema.ts";

/** What a column is called in each database; the rest of the language is the same. */
export interface ColumnTypes {
  /** Text that is compared and sorted byte by byte: ids, keys, cursors. */
  key: string;
  /** Whole numbers up to 2^53, times among them. */
  big: string;
  bytes: string;
  /** Ends a table: SQLite then refuses values of another type, as PostgreSQL does. */
  strict: string;
}

const columnTypes: Record<DialectName, ColumnTypes> = {
  sqlite: { key: "text", big: "integer", bytes: "blob", strict: "strict" },
  postgres: { key: 'text collate "C"', big: "bigint", bytes: "bytea", strict: "" },
};

export interface Migration {
  /** Recorded when it has run; never changed afterwards. */
  name: string;
  /** One statement each; all of them run in one transaction. */
  statements(types: ColumnTypes): readonly string[];
}

/** Of the advisory lock under which PostgreSQL migrates: any number, the same in every version. */
const lockKey = 4_500_170_001;

interface Target {
  kysely: Kysely<Schema>;
  dialect: DialectName;
  clock: Clock;
}

/** Brings the database to this version, forward only. A migration that fails leaves it as it was before that one. */
export async function migrate(target: Target, migrations: readonly Migration[]): Promise<void> {
  let pending = true;
  while (pending)
    pending = await target.kysely.transaction().execute((tx) => step({ ...target, kysely: tx }, migrations));
}

/** Runs the next migration; false where there is none. */
async function step({ kysely, dialect, clock }: Target, migrations: readonly Migration[]): Promise<boolean> {
  if (dialect === "postgres") await sql`select pg_advisory_xact_lock(${lockKey})`.execute(kysely);
  const types = columnTypes[dialect];
  await run(
    kysely,
    `create table if not exists migrations (name ${types.key} primary key, applied_at ${types.big} not null) ${types.strict}`,
  );
  const rows = await kysely.selectFrom("migrations").select("name").orderBy("name").execute();
  refuseUnknown(
    rows.map(({ name }) => name),
    migrations,
  );
  const next = migrations[rows.length];
  if (next === undefined) return false;
  try {
    for (const statement of next.statements(types)) await run(kysely, statement);
    await kysely.insertInto("migrations").values({ name: next.name, applied_at: clock.now() }).execute();
    return true;
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new DatabaseError(
      "migration-failed",
      `migration ${next.name} failed (${detail}); the database is as it was before it`,
      { cause },
    );
  }
}

function refuseUnknown(applied: readonly string[], migrations: readonly Migration[]): void {
  const unknown = applied.find((name, index) => migrations[index]?.name !== name);
  if (unknown === undefined) return;
  throw new DatabaseError(
    "newer-version",
    `the database has migration ${unknown}, which this version of claude-hooks does not know: it was used by a newer version. Run that one, or restore a backup from before it.`,
  );
}

const run = (kysely: Kysely<Schema>, statement: string): Promise<unknown> => sql.raw(statement).execute(kysely);
