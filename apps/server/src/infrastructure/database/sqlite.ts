import { constants, SQLiteError, Database as Sqlite } from "bun:sqlite";
import { closeSync, mkdirSync, openSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { DatabaseError } from "./errors.ts";

export interface OwnedSqlite {
  sqlite: Sqlite;
  release: () => void;
}

/**
 * Opens the file for this process alone. The lock is a transaction held open on `<file>.lock`: the system drops it when
 * the process ends, however it ends, so there is never a stale one to remove.
 */
export function openSqlite(path: string): OwnedSqlite {
  const file = placeOf(path);
  const lock = takeLock(file);
  try {
    const sqlite = openFile(file);
    return { sqlite, release: () => lock.close(true) };
  } catch (cause) {
    lock.close(true);
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new DatabaseError(
      "unreachable",
      `${file}: cannot be opened as a SQLite database (${detail}). Check that it is one, and that this user may write it and its folder.`,
      { cause },
    );
  }
}

/** By its real name, so that two names of one file share one lock. */
function placeOf(path: string): string {
  const file = resolve(path);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    // 0600 from the first byte: it holds what people wrote in private repositories. SQLite gives its side files the same mode.
    closeSync(openSync(file, "a", 0o600));
    return realpathSync(file);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new DatabaseError("unreachable", `${file}: cannot be made or written (${detail}).`, { cause });
  }
}

function takeLock(file: string): Sqlite {
  const place = join(dirname(file), `${basename(file)}.lock`);
  const lock = new Sqlite(place, { create: true, readwrite: true });
  try {
    lock.run("pragma locking_mode = exclusive");
    lock.run("begin exclusive");
    return lock;
  } catch (cause) {
    lock.close();
    if (!(cause instanceof SQLiteError) || !cause.code?.startsWith("SQLITE_BUSY")) throw cause;
    throw new DatabaseError(
      "in-use",
      `${file} is in use by another server. Stop that one first, or give this one a database file of its own.`,
      { cause },
    );
  }
}

function openFile(file: string): Sqlite {
  const sqlite = new Sqlite(file, { create: true, readwrite: true, strict: true });
  try {
    sqlite.run("pragma busy_timeout = 5000");
    sqlite.run("pragma journal_mode = wal");
    sqlite.run("pragma synchronous = full");
    sqlite.run("pragma foreign_keys = on");
    // Bun on macOS keeps the side files after closing otherwise.
    sqlite.fileControl(constants.SQLITE_FCNTL_PERSIST_WAL, 0);
    return sqlite;
  } catch (error) {
    sqlite.close();
    throw error;
  }
}
