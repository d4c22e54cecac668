import { expect, test } from "bun:test";
import { forEachDatabase } from "../../../../../tests/support/databases.ts";
import type { ForgeId } from "../../domain/ids.ts";
import { createDeliveryStore, createDeliveryWriter } from "./deliveries.ts";
import { delivery, forge } from "./testing/seed.ts";

forEachDatabase((_, open) => {
  test("a delivery comes back as it was received, to the byte", async () => {
    await using db = await open();
    const received = delivery({ body: Uint8Array.from({ length: 5_000 }, (__, index) => index % 256) });
    await createDeliveryWriter(db).add(received);
    const stored = await createDeliveryStore(db).get(received.id);
    expect(stored).toEqual({ ...received, state: "received", reason: null });
    expect(stored?.body.constructor).toBe(Uint8Array);
  });

  test("an empty body is kept", async () => {
    await using db = await open();
    const received = delivery({ body: new Uint8Array() });
    await createDeliveryWriter(db).add(received);
    expect((await createDeliveryStore(db).get(received.id))?.body).toEqual(new Uint8Array());
  });

  test("the same delivery again is a duplicate of the first, in its own batch and in a later one", async () => {
    await using db = await open();
    const writer = createDeliveryWriter(db);
    const [first, again, late, fresh] = [1, 2, 3, 4].map(() => delivery({ uuid: "one" }));
    const receipts = await Promise.all([first!, again!].map((each) => writer.add(each)));
    expect(receipts).toEqual([
      { id: first!.id, duplicate: false },
      { id: first!.id, duplicate: true },
    ]);
    const mixed = await Promise.all([late!, { ...fresh!, uuid: "two" }].map((each) => writer.add(each)));
    expect(mixed).toEqual([
      { id: first!.id, duplicate: true },
      { id: fresh!.id, duplicate: false },
    ]);
    expect(await createDeliveryStore(db).list()).toHaveLength(2);
  });

  test("a uuid is the forge's and the hook's own", async () => {
    await using db = await open();
    const store = createDeliveryStore(db);
    const same = { uuid: "one" };
    const receipts = await store.insertMany([
      delivery(same),
      delivery({ ...same, hookId: "other" }),
      delivery({ ...same, forge: "github" as ForgeId }),
    ]);
    expect(receipts.map(({ duplicate }) => duplicate)).toEqual([false, false, false]);
    expect((await store.findByUuid(forge, "other", "one"))?.id).toBe(receipts[1]!.id);
    expect(await store.findByUuid(forge, "none", "one")).toBeNull();
  });

  test("what waits to be normalised comes oldest first, and each is settled once", async () => {
    await using db = await open();
    const store = createDeliveryStore(db);
    const [a, b, c, d] = [1, 2, 3, 4].map(() => delivery());
    await store.insertMany([d!, b!, a!, c!]);
    expect((await store.nextReceived(3)).map(({ id }) => id)).toEqual([a!.id, b!.id, c!.id]);
    expect((await store.nextReceived(3, b!.id)).map(({ id }) => id)).toEqual([c!.id, d!.id]);
    expect(await store.markNormalised(a!.id)).toBe(true);
    expect(await store.markIgnored(b!.id, "a star")).toBe(true);
    expect(await store.markFailed(c!.id, "no subject")).toBe(true);
    expect(await store.markFailed(a!.id, "late")).toBe(false);
    expect((await store.nextReceived(3)).map(({ id }) => id)).toEqual([d!.id]);
    expect(await store.get(a!.id)).toMatchObject({ state: "normalised", reason: null });
    expect(await store.get(b!.id)).toMatchObject({ state: "ignored", reason: "a star" });
    expect(await store.counts()).toEqual({ received: 1, normalised: 1, ignored: 1, failed: 1 });
  });

  test("lists go from the newest back, page by page, of one state or of all", async () => {
    await using db = await open();
    const store = createDeliveryStore(db);
    const all = [1, 2, 3, 4, 5].map(() => delivery());
    const ids = all.map(({ id }) => id).toReversed();
    await store.insertMany(all);
    await store.markIgnored(ids[1]!, "a star");
    const page = await store.list({ limit: 2 });
    expect(page.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect((await store.list({ limit: 2, before: page[1]!.id })).map(({ id }) => id)).toEqual(ids.slice(2, 4));
    expect((await store.list({ state: "ignored" })).map(({ id }) => id)).toEqual([ids[1]!]);
    expect(page[0]!.bytes).toBeGreaterThan(0);
  });

  test("a body is stored small", async () => {
    await using db = await open();
    const store = createDeliveryStore(db);
    await store.insertMany([delivery({ body: new TextEncoder().encode("the same again ".repeat(1_000)) })]);
    expect((await store.list())[0]!.bytes).toBeLessThan(200);
  });
});
