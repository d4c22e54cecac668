import { expect, test } from "bun:test";
import { forEachDatabase } from "../../../../../tests/support/databases.ts";
import type { Decision, MatchFacts } from "../../domain/flow.ts";
import type { EventId } from "../../domain/ids.ts";
import { createDeliveryStore } from "./deliveries.ts";
import { createEventStore } from "./events.ts";
import { delivery, event, storedEvent, threadOn } from "./testing/seed.ts";

const facts: MatchFacts = {
  actorPermission: "write",
  permissionError: null,
  actorIsOurs: false,
  mentionedAgents: ["dev"],
  assignedAgent: null,
  involvedAgents: [],
  thread: { number: 1, kind: "issue", state: "open", labels: [] },
};

const decisions: Decision[] = [
  {
    flow: "implement",
    matched: true,
    why: "assigned to dev",
    saw: { a: 1 },
    dispatches: [{ agentType: "dev", skill: "implement" }],
  },
  { flow: "review", matched: false, why: "no pull request", saw: {} },
];

forEachDatabase((_, open) => {
  test("an event comes back as it was stored", async () => {
    await using db = await open();
    const store = createEventStore(db);
    const thread = await threadOn(db, 1);
    const sent = delivery();
    await createDeliveryStore(db).insertMany([sent]);
    const happened = event({ thread: thread.id, delivery: sent.id });
    expect(await store.insert(happened)).toBe(true);
    expect(await store.get(happened.id)).toEqual(happened);
    expect(await store.ofDelivery(sent.id)).toEqual([happened]);
    expect(await store.get("0" as EventId)).toBeNull();
  });

  test("the same happening is one event, the first; in another repository it is another", async () => {
    await using db = await open();
    const store = createEventStore(db);
    const [first, replay, other] = [
      event({ semanticKey: "comment:1:created" }),
      event({ semanticKey: "comment:1:created" }),
      event({ semanticKey: "comment:1:created", repository: 8 }),
    ];
    const stored = await Promise.all([first, replay, other].map((each) => store.insert(each)));
    expect(stored).toEqual([true, false, true]);
    expect(await store.get(replay.id)).toBeNull();
    expect((await store.list()).map(({ id }) => id)).toEqual([other.id, first.id]);
  });

  test("a thread's events come oldest first, all of them newest first and by pages", async () => {
    await using db = await open();
    const store = createEventStore(db);
    const thread = await threadOn(db, 1);
    const ids: EventId[] = [];
    for (let index = 0; index < 4; index++) ids.push(await storedEvent(db, index === 2 ? null : thread.id));
    expect((await store.listForThread(thread.id)).map(({ id }) => id)).toEqual([ids[0]!, ids[1]!, ids[3]!]);
    expect((await store.list({ limit: 2 })).map(({ id }) => id)).toEqual([ids[3]!, ids[2]!]);
    expect((await store.list({ before: ids[2]! })).map(({ id }) => id)).toEqual([ids[1]!, ids[0]!]);
    const wanted = [ids[3]!, "none" as EventId, ids[0]!];
    expect((await store.getMany(wanted)).map(({ id }) => id)).toEqual([ids[3]!, ids[0]!]);
    expect(await store.getMany([])).toEqual([]);
  });

  test("an event waits to be decided on until it is marked, once", async () => {
    await using db = await open();
    const store = createEventStore(db);
    const ids = [await storedEvent(db), await storedEvent(db), await storedEvent(db)];
    expect((await store.undecided(2)).map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(await store.markDecided(ids[0]!)).toBe(true);
    expect(await store.markDecided(ids[0]!)).toBe(false);
    expect((await store.undecided(9)).map(({ id }) => id)).toEqual(ids.slice(1));
  });

  test("decisions come back in the flows' order, with what was known", async () => {
    await using db = await open();
    const store = createEventStore(db);
    const id = await storedEvent(db);
    expect(await store.decisions(id)).toBeNull();
    expect(await store.saveDecisions(id, facts, decisions)).toBe(true);
    expect(await store.decisions(id)).toEqual({ facts, decisions });
    const none = await storedEvent(db);
    await store.saveDecisions(none, facts, []);
    expect(await store.decisions(none)).toEqual({ facts, decisions: [] });
  });

  test("the first verdict stays", async () => {
    await using db = await open();
    const store = createEventStore(db);
    const id = await storedEvent(db);
    await store.saveDecisions(id, facts, decisions);
    expect(await store.saveDecisions(id, { ...facts, actorIsOurs: true }, [])).toBe(false);
    expect(await store.decisions(id)).toEqual({ facts, decisions });
  });
});
