import pg from "pg";
import type { Log } from "../../domain/log.ts";
import { DatabaseError } from "./errors.ts";

const { types } = pg;

export interface PostgresSettings {
  url: string;
  log: Log;
}

/** A pool that has answered once: a wrong address, password or encoding is said at start-up. */
export async function openPostgres({ url, log }: PostgresSettings): Promise<pg.Pool> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    connectionTimeoutMillis: 10_000,
    application_name: "claude-hooks",
    // Ours all lie within 2^53.
    types: {
      getTypeParser: (oid, format) =>
        oid === types.builtins.INT8 ? Number : (types.getTypeParser(oid, format) as unknown),
    },
  });
  // Without a listener an idle connection that breaks ends the process; the pool opens a new one by itself.
  pool.on("error", (error) => log.warn({ error }, "lost an idle connection to PostgreSQL"));
  try {
    await checkEncoding(pool, url);
    return pool;
  } catch (error) {
    await pool.end();
    throw error;
  }
}

async function checkEncoding(pool: pg.Pool, url: string): Promise<void> {
  const encoding = await askEncoding(pool, url);
  if (encoding === "UTF8") return;
  throw new DatabaseError(
    "unreachable",
    `PostgreSQL ${placeOf(url)} stores text as ${encoding}; claude-hooks needs UTF8: create database … encoding 'UTF8' template template0.`,
  );
}

async function askEncoding(pool: pg.Pool, url: string): Promise<string | undefined> {
  try {
    const { rows } = await pool.query<{ server_encoding: string }>("show server_encoding");
    return rows[0]?.server_encoding;
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message || cause.name : String(cause);
    throw new DatabaseError(
      "unreachable",
      `PostgreSQL ${placeOf(url)} cannot be used (${detail}). Check the address, the user and that the server runs.`,
      { cause },
    );
  }
}

/** The address without user and password. */
function placeOf(url: string): string {
  if (!URL.canParse(url)) return "at the given address";
  const { host, pathname, searchParams } = new URL(url);
  return `${host || (searchParams.get("host") ?? "")}${pathname}`;
}
