import { expect, test } from "bun:test";
import { sql } from "kysely";
import { forEachDatabase } from "../../../../../tests/support/databases.ts";
import { rejection } from "../../../../../tests/support/rejection.ts";
import { manualClock } from "../clock.ts";
import type { Database } from "./handle.ts";
import type { Migration } from "./migrate.ts";
import { migrations as ours } from "./migrations.ts";

const migration = (name: string, ...statements: string[]): Migration => ({ name, statements: () => statements });
const first = migration("0001-first", "create table one (id text)", "insert into one values ('kept')");
const second = migration("0002-second", "create table two (id text)");
const broken = migration("0002-second", "create table two (id text)", "insert into one values ('lost')", "no sql");

forEachDatabase((_, open) => {
  const applied = (db: Database) => db.kysely.selectFrom("migrations").selectAll().orderBy("name").execute();
  const rowsOf = async (db: Database, table: string) =>
    (await sql.raw(`select id from ${table}`).execute(db.kysely)).rows;

  test("runs what is new, once, in order, and records the time", async () => {
    const url = await open.url();
    const clock = manualClock(1_000);
    await (await open({ url, clock, migrations: [first] })).close();
    clock.set(2_000);
    await using db = await open({ url, clock, migrations: [first, second] });
    expect(await applied(db)).toEqual([
      { name: "0001-first", applied_at: 1_000 },
      { name: "0002-second", applied_at: 2_000 },
    ]);
    expect(await rowsOf(db, "one")).toEqual([{ id: "kept" }]);
  });

  test("a migration that fails is named, and leaves the database as it was before it", async () => {
    const url = await open.url();
    const error = await rejection(open({ url, migrations: [first, broken] }));
    expect(error.message).toContain("migration 0002-second failed");
    await using db = await open({ url, migrations: [first, second] });
    expect(await rowsOf(db, "one")).toEqual([{ id: "kept" }]);
    expect(await rowsOf(db, "two")).toEqual([]);
  });

  test("a database of a newer version is refused, and not touched", async () => {
    const url = await open.url();
    await (await open({ url, migrations: [first, second] })).close();
    expect((await rejection(open({ url, migrations: [first] }))).message).toContain(
      "the database has migration 0002-second, which this version of claude-hooks does not know",
    );
    await using db = await open({ url, migrations: [first, second] });
    expect(await applied(db)).toHaveLength(2);
  });

  test("a database whose migrations are others than ours is refused", async () => {
    const url = await open.url();
    await (await open({ url, migrations: [migration("0001-else", "create table x (id text)")] })).close();
    expect((await rejection(open({ url, migrations: [first] }))).message).toContain("0001-else");
  });

  test("ours run, and their names are in order", async () => {
    await using db = await open();
    const names = ours.map(({ name }) => name);
    expect((await applied(db)).map(({ name }) => name)).toEqual(names);
    expect(names).toEqual(names.toSorted());
  });
});

forEachDatabase((name, open) => {
  if (name === "PostgreSQL")
    test("servers that start together migrate once", async () => {
      const url = await open.url();
      const opened = await Promise.all(Array.from({ length: 4 }, () => open({ url })));
      for (const db of opened)
        expect(await db.kysely.selectFrom("migrations").selectAll().execute()).toHaveLength(ours.length);
      await Promise.all(opened.map((db) => db.close()));
    });
});
