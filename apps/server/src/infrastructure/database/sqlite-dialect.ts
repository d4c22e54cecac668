import type { SQLQueryBindings, Database as Sqlite, Statement } from "bun:sqlite";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { DatabaseError } from "./errors.ts";

/** Kysely on one connection of `bun:sqlite`: who asks waits for who came before, so that transactions never mix. */
export const sqliteDialect = (sqlite: Sqlite): Dialect => ({
  createDriver: () => new SqliteDriver(sqlite),
  createQueryCompiler: () => new SqliteQueryCompiler(),
  createAdapter: () => new QueueingAdapter(),
  createIntrospector: (db) => new SqliteIntrospector(db),
});

/** Kysely's own queue stands before the driver's leave to acquire, where a misused transaction would wait for itself; ours stands behind it. */
class QueueingAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): true {
    return true;
  }
}

class SqliteDriver implements Driver {
  readonly #sqlite: Sqlite;
  readonly #connection: SqliteConnection;
  readonly #waiting: (() => void)[] = [];
  #taken = false;

  constructor(sqlite: Sqlite) {
    this.#sqlite = sqlite;
    this.#connection = new SqliteConnection(sqlite);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    if (this.#taken) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#taken = true;
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    const next = this.#waiting.shift();
    if (next) return next();
    this.#taken = false;
  }

  async beginTransaction(): Promise<void> {
    this.#connection.begin();
  }

  async commitTransaction(): Promise<void> {
    this.#connection.commit();
  }

  async rollbackTransaction(): Promise<void> {
    this.#connection.rollback();
  }

  async destroy(): Promise<void> {
    this.#connection.finalize();
    this.#sqlite.close(true);
  }
}

/** Statements that stay prepared; each size of a multi-row insert is one of its own. */
const maxPrepared = 256;

class SqliteConnection implements DatabaseConnection {
  readonly #sqlite: Sqlite;
  readonly #prepared = new Map<string, Statement<unknown, SQLQueryBindings[]>>();
  #stalled = false;
  #watch: NodeJS.Immediate | null = null;

  constructor(sqlite: Sqlite) {
    this.#sqlite = sqlite;
  }

  /** Queries here answer within the turn of the event loop that asked, so a transaction that outlives its turn waited for something else. */
  begin(): void {
    this.#sqlite.run("begin immediate");
    this.#stalled = false;
    this.#watch = setImmediate(() => {
      this.#stalled = true;
    });
  }

  commit(): void {
    this.#refuseStalled();
    this.#sqlite.run("commit");
    this.#end();
  }

  rollback(): void {
    this.#end();
    // A full disk, for one, has rolled it back already.
    if (this.#sqlite.inTransaction) this.#sqlite.run("rollback");
  }

  #end(): void {
    if (this.#watch) clearImmediate(this.#watch);
    this.#stalled = false;
  }

  #refuseStalled(): void {
    if (!this.#stalled) return;
    throw new DatabaseError(
      "misused-transaction",
      "this transaction awaited something else than the database, and on one SQLite connection everyone waits for it: do that before or after",
    );
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    this.#refuseStalled();
    const statement = this.#prepare(sql);
    const bindings = parameters as SQLQueryBindings[];
    if (statement.columnNames.length > 0) return { rows: statement.all(...bindings) as Row[] };
    return { rows: [], numAffectedRows: BigInt(statement.run(...bindings).changes) };
  }

  #prepare(sql: string): Statement<unknown, SQLQueryBindings[]> {
    const known = this.#prepared.get(sql);
    if (known) {
      this.#prepared.delete(sql);
      this.#prepared.set(sql, known);
      return known;
    }
    const [oldest] = this.#prepared;
    if (oldest && this.#prepared.size >= maxPrepared) {
      this.#prepared.delete(oldest[0]);
      oldest[1].finalize();
    }
    const statement = this.#sqlite.prepare<unknown, SQLQueryBindings[]>(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }

  finalize(): void {
    for (const statement of this.#prepared.values()) statement.finalize();
    this.#prepared.clear();
  }

  streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error("not used: rows are read in pages");
  }
}
