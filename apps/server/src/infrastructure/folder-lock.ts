import { SQLiteError, Database as Sqlite } from "bun:sqlite";
import { join } from "node:path";

/** Another service owns the folder. */
class FolderInUse extends Error {
  override readonly name = "FolderInUse";
}

/**
 * Makes the folder this process's alone until it ends, however it ends: a transaction held open on a file in it, which the
 * system drops with the process. Needed beside the database's own lock, since a PostgreSQL database locks no folder.
 * @throws FolderInUse with what to do.
 */
export function lockFolder(folder: string): Disposable {
  const lock = new Sqlite(join(folder, "service.lock"), { create: true, readwrite: true });
  try {
    lock.run("pragma locking_mode = exclusive");
    lock.run("begin exclusive");
  } catch (cause) {
    lock.close();
    if (!(cause instanceof SQLiteError) || !cause.code?.startsWith("SQLITE_BUSY")) throw cause;
    throw new FolderInUse(
      `${folder} is in use by another service. Stop that one first, or give this one a state_dir of its own.`,
      {
        cause,
      },
    );
  }
  return { [Symbol.dispose]: () => lock.close(true) };
}
