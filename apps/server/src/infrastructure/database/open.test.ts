import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { forEachDatabase } from "../../../../../tests/support/databases.ts";
import { rejection } from "../../../../../tests/support/rejection.ts";
import { systemClock } from "../clock.ts";
import { DatabaseError } from "./errors.ts";
import { openDatabase } from "./open.ts";

const open = (url: string) => openDatabase(url, { clock: systemClock });

async function refusal(attempt: Promise<unknown>): Promise<DatabaseError> {
  const error = await rejection(attempt);
  if (error instanceof DatabaseError) return error;
  throw new Error("it was refused with another error", { cause: error });
}

function folder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "open-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

forEachDatabase((name, openTest) => {
  const count = (reason: string, value: number) => ({ reason, count: value });

  test("text keeps every character, NUL and the escape's own among them", async () => {
    await using db = await openTest();
    const texts = ["", "a\0b", "\0\0", "\u0001", "\u00010", "\u0001\0\u0001", "ß€\u{1F600}", "a'b\"c\\d%_"];
    for (const text of texts) await db.kysely.insertInto("session_resume_failures").values(count(text, 1)).execute();
    const rows = await db.kysely.selectFrom("session_resume_failures").select("reason").execute();
    expect(rows.map(({ reason }) => reason).toSorted()).toEqual(texts.toSorted());
    for (const text of texts) {
      const query = db.kysely.selectFrom("session_resume_failures").selectAll().where("reason", "=", text);
      expect(await query.execute()).toEqual([count(text, 1)]);
    }
  });

  test("whole numbers up to 2^53 come back as numbers", async () => {
    await using db = await openTest();
    const biggest = Number.MAX_SAFE_INTEGER;
    await db.kysely.insertInto("session_resume_failures").values(count("big", biggest)).execute();
    expect(await db.kysely.selectFrom("session_resume_failures").selectAll().execute()).toEqual([
      count("big", biggest),
    ]);
  });

  test.each([1.5, Number.NaN, 2 ** 53])("%p is refused before one of the databases rounds it", async (value) => {
    await using db = await openTest();
    const insert = db.kysely.insertInto("session_resume_failures").values(count("bad", value));
    expect(await rejection(insert.execute())).toBeInstanceOf(RangeError);
  });

  test("a truth value is refused: one of the databases has none", async () => {
    await using db = await openTest();
    expect(await rejection(sql`select 1 where ${true}`.execute(db.kysely))).toBeInstanceOf(TypeError);
  });

  test("keys are ordered by their bytes", async () => {
    await using db = await openTest();
    const keys = ["a", "B", "b", "A", "Z", "_", "-", "a-b", "ab", "ä"];
    for (const key of keys) await db.kysely.insertInto("session_resume_failures").values(count(key, 1)).execute();
    const rows = await db.kysely.selectFrom("session_resume_failures").select("reason").orderBy("reason").execute();
    const byBytes = keys.toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
    expect(rows.map(({ reason }) => reason)).toEqual(byBytes);
  });

  describe("a transaction", () => {
    test("is all or nothing", async () => {
      await using db = await openTest();
      const attempt = db.transaction(async (tx) => {
        await tx.kysely.insertInto("session_resume_failures").values(count("half", 1)).execute();
        throw new Error("stop");
      });
      expect((await rejection(attempt)).message).toBe("stop");
      expect(await db.kysely.selectFrom("session_resume_failures").selectAll().execute()).toEqual([]);
    });

    test("inside another one joins it", async () => {
      await using db = await openTest();
      await db
        .transaction(async (tx) => {
          await tx.transaction((inner) =>
            inner.kysely.insertInto("session_resume_failures").values(count("inner", 1)).execute(),
          );
          throw new Error("stop");
        })
        .catch(() => {});
      expect(await db.kysely.selectFrom("session_resume_failures").selectAll().execute()).toEqual([]);
    });

    test("refuses the outer handle at once, and the database goes on", async () => {
      await using db = await openTest();
      const query = db.kysely.selectFrom("session_resume_failures").selectAll();
      expect((await refusal(db.transaction(() => query.execute()))).message).toContain(
        "use the handle that the transaction passes",
      );
      expect((await refusal(db.transaction(() => db.transaction(async () => {})))).kind).toBe("misused-transaction");
      expect(await query.execute()).toEqual([]);
    });

    test("refuses the writer, which would wait for it", async () => {
      await using db = await openTest();
      const channel = db.writer.channel({ write: async (_, items: readonly number[]) => items, bytes: () => 1 });
      expect((await refusal(db.transaction(() => channel.add(1)))).message).toContain("after the transaction");
    });

    test("cannot be used after it has ended", async () => {
      await using db = await openTest();
      const leaked = await db.transaction(async (tx) => tx);
      expect((await rejection(leaked.kysely.selectFrom("tasks").selectAll().execute())).message).toContain("already");
    });

    test("that runs beside others keeps what it counts apart", async () => {
      await using db = await openTest();
      await db.kysely.insertInto("session_resume_failures").values(count("n", 0)).execute();
      const table = (kysely: typeof db.kysely) => kysely.selectFrom("session_resume_failures").select("count");
      await Promise.all(
        Array.from({ length: 20 }, () =>
          db.transaction(async (tx) => {
            await sql`update session_resume_failures set count = count + 1`.execute(tx.kysely);
            await table(tx.kysely).executeTakeFirstOrThrow();
          }),
        ),
      );
      expect(await table(db.kysely).executeTakeFirstOrThrow()).toEqual({ count: 20 });
    });

    if (name === "SQLite")
      test("that awaits something else than the database is refused, and its writes are undone", async () => {
        await using db = await openTest();
        const attempt = db.transaction(async (tx) => {
          await tx.kysely.insertInto("session_resume_failures").values(count("half", 1)).execute();
          await new Promise((resolve) => setTimeout(resolve, 0));
          await new Promise((resolve) => setImmediate(resolve));
        });
        expect((await refusal(attempt)).message).toContain("awaited something else");
        expect(await db.kysely.selectFrom("session_resume_failures").selectAll().execute()).toEqual([]);
      });
  });

  test("closing twice is closing once, and what was written is there after it", async () => {
    const url = await openTest.url();
    const db = await openTest({ url });
    await db.kysely.insertInto("session_resume_failures").values(count("kept", 1)).execute();
    await Promise.all([db.close(), db.close()]);
    await using again = await openTest({ url });
    expect(await again.kysely.selectFrom("session_resume_failures").selectAll().execute()).toEqual([count("kept", 1)]);
  });
});

describe("an address", () => {
  test.each(["", "sqlite:", "mysql://host/db", "/var/lib/x.db"])(
    "%p is refused with the forms that are known",
    async (url) => {
      const error = await refusal(open(url));
      expect(error.kind).toBe("bad-url");
      expect(error.message).toContain("sqlite:<path of a file>");
    },
  );

  test("of a PostgreSQL that is not there is named, without its password", async () => {
    const error = await refusal(open("postgres://ada:s3cret@127.0.0.1:1/hooks"));
    expect(error.kind).toBe("unreachable");
    expect(error.message).toContain("127.0.0.1:1/hooks");
    expect(error.message).not.toContain("s3cret");
  });
});

describe("a SQLite file", () => {
  test("is made with its folders, for its owner alone, and synchronises every commit", async () => {
    using home = folder();
    const path = join(home.path, "state", "deep", "hooks.db");
    await using db = await open(`sqlite:${path}`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const pragma = async (text: string) =>
      Object.values((await sql.raw(`pragma ${text}`).execute(db.kysely)).rows[0] ?? {})[0];
    expect(await pragma("journal_mode")).toBe("wal");
    expect(await pragma("synchronous")).toBe(2);
    expect(await pragma("foreign_keys")).toBe(1);
    expect(statSync(`${path}-wal`).mode & 0o077).toBe(0);
  });

  test("has one owner: a second server is told which file, by any of its names", async () => {
    using home = folder();
    const path = join(home.path, "hooks.db");
    await using _db = await open(`sqlite:${path}`);
    symlinkSync(path, join(home.path, "alias.db"));
    for (const name of [path, join(home.path, "alias.db")]) {
      const error = await refusal(open(`sqlite:${name}`));
      expect(error.kind).toBe("in-use");
      expect(error.message).toContain(path);
      expect(error.message).toContain("Stop that one first");
    }
  });

  test("is free again once it is closed, and after an open that failed", async () => {
    using home = folder();
    const path = join(home.path, "hooks.db");
    await (await open(`sqlite:${path}`)).close();
    expect(existsSync(`${path}-wal`)).toBe(false);
    await (await open(`sqlite:${path}`)).close();
    const noDatabase = join(home.path, "text.db");
    writeFileSync(noDatabase, "no database at all, ".repeat(100));
    for (const _ of [1, 2]) {
      const error = await refusal(open(`sqlite:${noDatabase}`));
      expect(error.kind).toBe("unreachable");
      expect(error.message).toContain(noDatabase);
    }
  });
});
