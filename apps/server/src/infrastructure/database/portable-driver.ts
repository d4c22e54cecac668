import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from "kysely";
import { decodeRow, encodeParameter } from "./codec.ts";

/** The dialect with our codec around its connections, and `mayAcquire` asked (it throws) before each of them is handed out. */
export const portable = (base: Dialect, mayAcquire: () => void): Dialect => ({
  createDriver: () => new PortableDriver(base.createDriver(), mayAcquire),
  createQueryCompiler: () => base.createQueryCompiler(),
  createAdapter: () => base.createAdapter(),
  createIntrospector: (db) => base.createIntrospector(db),
});

class PortableDriver implements Driver {
  readonly #base: Driver;
  readonly #mayAcquire: () => void;
  readonly #inner = new WeakMap<DatabaseConnection, DatabaseConnection>();

  constructor(base: Driver, mayAcquire: () => void) {
    this.#base = base;
    this.#mayAcquire = mayAcquire;
  }

  init(): Promise<void> {
    return this.#base.init();
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    this.#mayAcquire();
    const inner = await this.#base.acquireConnection();
    const outer = new PortableConnection(inner);
    this.#inner.set(outer, inner);
    return outer;
  }

  beginTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#base.beginTransaction(this.#of(connection), {});
  }

  commitTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#base.commitTransaction(this.#of(connection));
  }

  rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#base.rollbackTransaction(this.#of(connection));
  }

  releaseConnection(connection: DatabaseConnection): Promise<void> {
    return this.#base.releaseConnection(this.#of(connection));
  }

  destroy(): Promise<void> {
    return this.#base.destroy();
  }

  #of(connection: DatabaseConnection): DatabaseConnection {
    const inner = this.#inner.get(connection);
    if (inner === undefined) throw new Error("this connection is of another driver");
    return inner;
  }
}

class PortableConnection implements DatabaseConnection {
  readonly #inner: DatabaseConnection;

  constructor(inner: DatabaseConnection) {
    this.#inner = inner;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const result = await this.#inner.executeQuery<Row>({ ...query, parameters: query.parameters.map(encodeParameter) });
    for (const row of result.rows) decodeRow(row as Record<string, unknown>);
    return result;
  }

  streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error("rows are read in pages, not streamed: a stream would hold the one connection of SQLite");
  }
}
