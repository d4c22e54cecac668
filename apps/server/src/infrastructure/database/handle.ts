import type { Kysely } from "kysely";
import type { Clock } from "../../domain/ids.ts";
import type { Schema } from "./schema.ts";

export type DialectName = "sqlite" | "postgres";

/** What a store may ask of Kysely: queries. Transactions are opened by {@link Handle.transaction} alone, which guards them. */
export type Queries = Omit<
  Kysely<Schema>,
  "transaction" | "startTransaction" | "connection" | "destroy" | "introspection" | typeof Symbol.asyncDispose
>;

/** The database, or a transaction on it: a store made from a transaction's handle writes in that transaction. */
export interface Handle {
  readonly kysely: Queries;
  readonly dialect: DialectName;
  readonly clock: Clock;
  /**
   * All or nothing. `work` may await queries of the handle that it is given and nothing else: another handle's query
   * throws, and on SQLite so does the first query after a wait for anything else. In a transaction it joins that one.
   */
  transaction<Result>(work: (tx: Handle) => Promise<Result>): Promise<Result>;
}

export interface ChannelOptions<Item, Result> {
  /** Stores the items, in order, with as few statements as it can; answers one result for each of them. */
  write(tx: Handle, items: readonly Item[]): Promise<readonly Result[]>;
  bytes(item: Item): number;
}

export interface Channel<Item, Result> {
  /** Resolves after COMMIT. Rejects with `QueueFull`, or with what the database said of this item. */
  add(item: Item): Promise<Result>;
}

/** One writer for the hot paths: what arrives in one turn of the event loop, of whatever kind, becomes one transaction. */
export interface GroupCommit {
  channel<Item, Result>(options: ChannelOptions<Item, Result>): Channel<Item, Result>;
}

export interface Database extends Handle, AsyncDisposable {
  /** The group-commit writer of the hot paths. */
  readonly writer: GroupCommit;
  /** Commits what the writer has taken, then lets go of the file or the server. */
  close(): Promise<void>;
}
