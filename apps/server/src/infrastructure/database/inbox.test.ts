import { expect, test } from "bun:test";
import { forEachDatabase } from "../../../../../tests/support/databases.ts";
import type { EventId, LaneKey } from "../../domain/ids.ts";
import { newId } from "../ids.ts";
import type { Handle } from "./handle.ts";
import { createInboxStore, type InboxStore } from "./inbox.ts";
import { storedEvent } from "./testing/seed.ts";

const lane = "dev:1" as LaneKey;
const other = "reviewer:1" as LaneKey;

/** Added in the reverse order of what happened. */
async function fill(db: Handle, inbox: InboxStore, count: number): Promise<EventId[]> {
  const events: EventId[] = [];
  for (let index = 0; index < count; index++) events.push(await storedEvent(db));
  for (const event of events.toReversed()) await inbox.add(lane, event);
  return events;
}

forEachDatabase((_, open) => {
  test("an event is added to a lane once, told or not, and to each lane for itself", async () => {
    await using db = await open();
    const inbox = createInboxStore(db);
    const event = await storedEvent(db);
    expect(await inbox.add(lane, event)).toBe(true);
    expect(await inbox.add(lane, event)).toBe(false);
    expect(await inbox.add(other, event)).toBe(true);
    const run = newId.run();
    await inbox.offer(lane, run);
    await inbox.consume(run);
    expect(await inbox.add(lane, event)).toBe(false);
    expect(await inbox.pending(lane)).toEqual([]);
    expect(await inbox.pending(other)).toEqual([event]);
  });

  test("a run is offered what waits, in the order of the events, and nobody else is", async () => {
    await using db = await open();
    const inbox = createInboxStore(db);
    const events = await fill(db, inbox, 5);
    expect(await inbox.pending(lane)).toEqual(events);
    expect(await inbox.offer(lane, newId.run())).toEqual(events);
    expect(await inbox.offer(lane, newId.run())).toEqual([]);
    expect(await inbox.pending(lane)).toEqual([]);
  });

  test("a run is offered only what it takes; the rest waits for the next", async () => {
    await using db = await open();
    const inbox = createInboxStore(db);
    const [a, b, c] = await fill(db, inbox, 3);
    expect(await inbox.offer(lane, newId.run(), [c!, a!])).toEqual([a!, c!]);
    expect(await inbox.offer(lane, newId.run(), [a!])).toEqual([]);
    expect(await inbox.offer(lane, newId.run(), [])).toEqual([]);
    expect(await inbox.pending(lane)).toEqual([b!]);
  });

  test("two runs that ask at once share nothing", async () => {
    await using db = await open();
    const inbox = createInboxStore(db);
    const events = await fill(db, inbox, 6);
    const offers = await Promise.all([inbox.offer(lane, newId.run()), inbox.offer(lane, newId.run())]);
    expect(offers.flat().toSorted()).toEqual(events);
  });

  test("what comes after the offer is neither consumed nor given back with it", async () => {
    await using db = await open();
    const inbox = createInboxStore(db);
    await fill(db, inbox, 2);
    const run = newId.run();
    await inbox.offer(lane, run);
    const late = await storedEvent(db);
    await inbox.add(lane, late);
    expect(await inbox.consume(run)).toBe(2);
    expect(await inbox.pending(lane)).toEqual([late]);
  });

  test("a run that fails gives back what it has not consumed, and the next one is told", async () => {
    await using db = await open();
    const inbox = createInboxStore(db);
    const [told] = await fill(db, inbox, 1);
    const run = newId.run();
    await inbox.offer(lane, run);
    await inbox.consume(run);
    const steered = await storedEvent(db);
    await inbox.add(lane, steered);
    expect(await inbox.offer(lane, run)).toEqual([steered]);
    expect(await inbox.giveBack(run)).toBe(1);
    expect(await inbox.giveBack(run)).toBe(0);
    expect(await inbox.consume(run)).toBe(0);
    expect(await inbox.offer(lane, newId.run())).toEqual([steered]);
    expect(steered).not.toBe(told!);
  });
});
