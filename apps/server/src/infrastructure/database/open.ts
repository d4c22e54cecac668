import { AsyncLocalStorage } from "node:async_hooks";
import { type Dialect, Kysely, PostgresDialect } from "kysely";
import type { Clock } from "../../domain/ids.ts";
import { type Log, silentLog } from "../../domain/log.ts";
import { DatabaseError } from "./errors.ts";
import { type GroupCommitLimits, GroupCommitWriter } from "./group-commit.ts";
import type { Database, DialectName, Handle } from "./handle.ts";
import { type Migration, migrate } from "./migrate.ts";
import { migrations as ours } from "./migrations.ts";
import { portable } from "./portable-driver.ts";
import { openPostgres } from "./postgres.ts";
import type { Schema } from "./schema.ts";
import { openSqlite } from "./sqlite.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";

export interface OpenOptions {
  clock: Clock;
  log?: Log;
  limits?: Partial<GroupCommitLimits>;
  /** Others than ours, for tests of migrating itself. */
  migrations?: readonly Migration[];
}

/**
 * `sqlite:<path>` or `postgres://…`, migrated to this version. Rejects with a {@link DatabaseError} that names the place:
 * a file in use, a server that is not there, a database of a newer version.
 */
export async function openDatabase(url: string, options: OpenOptions): Promise<Database> {
  const { clock, log = silentLog, limits = {}, migrations = ours } = options;
  const guard = new TransactionGuard();
  const { name, dialect, release } = await connect(url, log);
  const kysely = new Kysely<Schema>({ dialect: portable(dialect, () => guard.refuseInside("query")) });
  const close = async () => {
    await kysely.destroy();
    release();
  };
  try {
    await migrate({ kysely, dialect: name, clock }, migrations);
  } catch (error) {
    await close();
    throw error;
  }
  return assemble({ kysely, dialect: name, clock, guard, limits, close });
}

interface Connected {
  name: DialectName;
  dialect: Dialect;
  release: () => void;
}

async function connect(url: string, log: Log): Promise<Connected> {
  if (url.startsWith("sqlite:") && url.length > "sqlite:".length) {
    const { sqlite, release } = openSqlite(url.slice("sqlite:".length));
    return { name: "sqlite", dialect: sqliteDialect(sqlite), release };
  }
  if (/^postgres(?:ql)?:\/\//.test(url)) {
    const pool = await openPostgres({ url, log });
    return { name: "postgres", dialect: new PostgresDialect({ pool }), release: () => {} };
  }
  throw new DatabaseError("bad-url", "the database must be sqlite:<path of a file> or postgres://<user>@<host>/<name>");
}

interface Parts {
  kysely: Kysely<Schema>;
  dialect: DialectName;
  clock: Clock;
  guard: TransactionGuard;
  limits: Partial<GroupCommitLimits>;
  close: () => Promise<void>;
}

function assemble({ kysely, dialect, clock, guard, limits, close }: Parts): Database {
  const transaction: Handle["transaction"] = (work) =>
    kysely.transaction().execute((tx) => {
      const handle: Handle = { kysely: tx, dialect, clock, transaction: (inner) => inner(handle) };
      return guard.run(() => work(handle));
    });
  const writer = new GroupCommitWriter({ transaction }, { mayAdd: () => guard.refuseInside("writer"), limits });
  let closing: Promise<void> | null = null;
  const closeOnce = () => (closing ??= writer.close().then(close));
  return { kysely, dialect, clock, transaction, writer, close: closeOnce, [Symbol.asyncDispose]: closeOnce };
}

/** Knows whether the code that asks runs inside a transaction's `work`: there, another handle would wait for that transaction for ever. */
class TransactionGuard {
  readonly #inside = new AsyncLocalStorage<{ open: boolean }>();

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    const state = { open: true };
    try {
      return await this.#inside.run(state, work);
    } finally {
      state.open = false;
    }
  }

  refuseInside(what: "query" | "writer"): void {
    if (this.#inside.getStore()?.open !== true) return;
    throw new DatabaseError(
      "misused-transaction",
      what === "query"
        ? "a query outside the transaction was made inside it, and would wait for it for ever: use the handle that the transaction passes"
        : "the group-commit writer was used inside a transaction, and would wait for it for ever: add to it after the transaction",
    );
  }
}
