import { afterAll, describe } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualClock } from "../../apps/server/src/infrastructure/clock.ts";
import type { Database } from "../../apps/server/src/infrastructure/database/handle.ts";
import { type OpenOptions, openDatabase } from "../../apps/server/src/infrastructure/database/open.ts";
import { freshPostgres } from "./postgres.ts";

export interface OpenTestDatabase {
  /** A migrated database of its own, on a clock that stands still where none is given. */
  (options?: Partial<OpenOptions> & { url?: string }): Promise<Database>;
  /** The address of a new, empty database, for those that are opened more than once. */
  url(): Promise<string>;
}

/** Runs the same tests on SQLite and on PostgreSQL. */
export function forEachDatabase(tests: (name: "SQLite" | "PostgreSQL", open: OpenTestDatabase) => void): void {
  describe("on SQLite", () => {
    const folder = mkdtempSync(join(tmpdir(), "sqlite-"));
    let files = 0;
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    tests(
      "SQLite",
      opener(async () => `sqlite:${join(folder, `${++files}.db`)}`),
    );
  });
  describe("on PostgreSQL", () => tests("PostgreSQL", opener(freshPostgres)));
}

function opener(url: () => Promise<string>): OpenTestDatabase {
  const open = async ({ url: known, ...options }: Partial<OpenOptions> & { url?: string } = {}) =>
    openDatabase(known ?? (await url()), { clock: manualClock(), ...options });
  return Object.assign(open, { url });
}
