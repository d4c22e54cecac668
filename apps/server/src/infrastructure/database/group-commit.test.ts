import { expect, test } from "bun:test";
import { forEachDatabase } from "../../../../../tests/support/databases.ts";
import { rejection } from "../../../../../tests/support/rejection.ts";
import { DatabaseError, QueueFull } from "./errors.ts";
import type { Channel, Database } from "./handle.ts";

interface Item {
  reason: string;
  size?: number;
}

interface Bench {
  channel: Channel<Item, string>;
  batches: string[][];
  /** Holds every write back until it is opened. */
  gate: PromiseWithResolvers<void>;
}

function bench(db: Database, { held = false } = {}): Bench {
  const batches: string[][] = [];
  const gate = Promise.withResolvers<void>();
  if (!held) gate.resolve();
  const channel = db.writer.channel<Item, string>({
    async write(tx, items) {
      await gate.promise;
      batches.push(items.map(({ reason }) => reason));
      await tx.kysely
        .insertInto("session_resume_failures")
        .values(items.map(({ reason }) => ({ reason, count: 1 })))
        .execute();
      return items.map(({ reason }) => `stored ${reason}`);
    },
    bytes: ({ size = 1 }) => size,
  });
  return { channel, batches, gate };
}

forEachDatabase((name, open) => {
  const stored = async (db: Database) => {
    const rows = await db.kysely.selectFrom("session_resume_failures").select("reason").orderBy("reason").execute();
    return rows.map(({ reason }) => reason);
  };
  const add = (channel: Channel<Item, string>, reasons: readonly string[]) =>
    Promise.allSettled(reasons.map((reason) => channel.add({ reason })));

  test("what comes in one turn is one transaction, and each gets its own answer", async () => {
    await using db = await open();
    const { channel, batches } = bench(db);
    const answers = await Promise.all(["c", "a", "b"].map((reason) => channel.add({ reason })));
    expect(answers).toEqual(["stored c", "stored a", "stored b"]);
    expect(batches).toEqual([["c", "a", "b"]]);
  });

  test("it is stored when the answer comes", async () => {
    await using db = await open();
    const { channel } = bench(db);
    await channel.add({ reason: "a" });
    expect(await stored(db)).toEqual(["a"]);
  });

  test("channels share a transaction", async () => {
    await using db = await open();
    const [one, two] = [bench(db), bench(db)];
    const failing = db.writer.channel<Item, string>({
      write: async () => Promise.reject(new Error("down")),
      bytes: () => 1,
    });
    const ends = await Promise.allSettled([
      one.channel.add({ reason: "a" }),
      two.channel.add({ reason: "b" }),
      failing.add({ reason: "c" }),
    ]);
    expect(ends.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(await stored(db)).toEqual([]);
    expect(await Promise.all([one.channel.add({ reason: "a" }), two.channel.add({ reason: "b" })])).toEqual([
      "stored a",
      "stored b",
    ]);
  });

  test("one bad row fails alone, wherever it stands among its neighbours", async () => {
    await using db = await open();
    const { channel } = bench(db);
    await channel.add({ reason: "taken" });
    for (const place of [0, 3, 6]) {
      const reasons = Array.from({ length: 7 }, (_, index) => (index === place ? "taken" : `${place}-${index}`));
      const ends = await add(channel, reasons);
      expect(ends.map(({ status }) => status === "rejected")).toEqual(reasons.map((reason) => reason === "taken"));
    }
    expect(await stored(db)).toHaveLength(1 + 3 * 6);
  });

  test("a fault that is not a row's own meets the whole batch once, and is not tried row by row", async () => {
    await using db = await open();
    let writes = 0;
    const channel = db.writer.channel<Item, string>({
      async write() {
        writes += 1;
        throw new Error("connection lost");
      },
      bytes: () => 1,
    });
    const ends = await add(channel, ["a", "b", "c", "d"]);
    expect(ends.every((end) => end.status === "rejected" && String(end.reason).includes("connection lost"))).toBe(true);
    expect(writes).toBe(1);
  });

  test("a batch has an upper size, and what is over it follows", async () => {
    await using db = await open({ limits: { maxBatch: 3 } });
    const { channel, batches } = bench(db);
    await add(channel, ["a", "b", "c", "d", "e", "f", "g"]);
    expect(batches).toEqual([["a", "b", "c"], ["d", "e", "f"], ["g"]]);
  });

  test("too many that wait are refused at once, and those that wait are stored", async () => {
    await using db = await open({ limits: { maxQueued: 3 } });
    const { channel } = bench(db);
    const ends = await add(channel, ["a", "b", "c", "d"]);
    expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled", "rejected"]);
    expect(ends[3]).toMatchObject({ reason: expect.any(QueueFull) });
    expect(await channel.add({ reason: "e" })).toBe("stored e");
    expect(await stored(db)).toEqual(["a", "b", "c", "e"]);
  });

  test("too many bytes that wait are refused at once", async () => {
    await using db = await open({ limits: { maxQueuedBytes: 10 } });
    const { channel } = bench(db);
    const taken = channel.add({ reason: "a", size: 7 });
    expect(await rejection(channel.add({ reason: "b", size: 4 }))).toBeInstanceOf(QueueFull);
    expect(await rejection(channel.add({ reason: "c", size: 11 }))).toBeInstanceOf(QueueFull);
    await taken;
    expect(await channel.add({ reason: "d", size: 10 })).toBe("stored d");
  });

  test("closing stores what was taken, and refuses what comes after", async () => {
    const url = await open.url();
    const db = await open({ url });
    const { channel } = bench(db);
    const taken = channel.add({ reason: "a" });
    const closed = db.close();
    expect(await rejection(channel.add({ reason: "b" }))).toBeInstanceOf(DatabaseError);
    expect(await taken).toBe("stored a");
    await closed;
    await using again = await open({ url });
    expect(await stored(again)).toEqual(["a"]);
  });

  if (name === "PostgreSQL")
    test("what comes while a transaction is under way waits for the next one", async () => {
      await using db = await open();
      const { channel, batches, gate } = bench(db, { held: true });
      const early = channel.add({ reason: "a" });
      await new Promise((resolve) => setImmediate(resolve));
      const late = ["b", "c"].map((reason) => channel.add({ reason }));
      gate.resolve();
      await Promise.all([early, ...late]);
      expect(batches).toEqual([["a"], ["b", "c"]]);
    });
});
