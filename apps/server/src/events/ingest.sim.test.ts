import { expect, test } from "bun:test";
import { type Forge, startForge } from "@claude-hooks/forge-sim";
import { forEachDatabase } from "../../../../tests/support/databases.ts";
import type { ForgeId } from "../domain/ids.ts";
import { forges } from "../forges/registry.ts";
import { createDeliveryStore } from "../infrastructure/database/deliveries.ts";
import { createEventStore } from "../infrastructure/database/events.ts";
import type { Database } from "../infrastructure/database/handle.ts";
import { createIngestStore } from "../infrastructure/database/ingest.ts";
import { newId } from "../infrastructure/ids.ts";
import { createIngest } from "./ingest.ts";

const at = { owner: "alice", repo: "widgets" };

async function startSim(): Promise<Forge> {
  const sim = await startForge({
    users: ["alice", "dev-bot"],
    repos: [{ ...at, name: "widgets", files: { "README.md": "x" }, collaborators: { "dev-bot": "write" } }],
  });
  // Nobody listens there: what was sent stands in the simulator's record.
  await sim
    .as("alice")
    .createHook({ ...at, url: "http://127.0.0.1:9/", secret: "s", events: ["issues", "issue_comment"] });
  return sim;
}

/** Every delivery so far, taken in by a service that starts now. */
async function takeIn(sim: Forge, db: Database, order: (ids: number[]) => number[]): Promise<string[]> {
  const deliveries = createDeliveryStore(db);
  const sent = sim.deliveries();
  for (const index of order(sent.map((_, position) => position))) {
    const { uuid, event, eventType, body } = sent[index]!;
    const hook = { forge: "home" as ForgeId, hookId: "widgets", receivedAt: 1000 + index };
    await deliveries.insertMany([{ id: newId.delivery(), ...hook, uuid, event, eventType, body }]);
  }
  const ingest = createIngest({
    store: createIngestStore(db),
    normalise: ({ forge, event, eventType }, payload) => forges.forgejo.normalise({ forge, event, eventType, payload }),
    newEventId: newId.event,
    newThreadId: newId.thread,
    onEvents: () => undefined,
    onFault: ({ reason }) => {
      throw new Error(reason);
    },
  });
  expect((await ingest.drain()).left).toBe(0);
  expect((await deliveries.counts()).received).toBe(0);
  return (await createEventStore(db).list()).map(({ kind }) => kind).toSorted();
}

forEachDatabase((_, open) => {
  test.each<[string, (ids: number[]) => number[]]>([
    ["as they were sent", (ids) => ids],
    ["the last one first", (ids) => ids.toReversed()],
    ["each twice, one moved by one", (ids) => [...ids.slice(1), ...ids]],
  ])("a forge's own deliveries, %s, make one event of each happening", async (__, order) => {
    await using sim = await startSim();
    const alice = sim.as("alice");
    const { number } = await alice.createIssue({ ...at, title: "Crash", assignees: ["dev-bot"] });
    await alice.comment({ ...at, number, body: "@dev-bot look" });
    await alice.closeIssue({ ...at, number });
    await sim.settled();
    for (const uuid of sim.deliveries().map((delivery) => delivery.uuid)) sim.redeliver(uuid);
    await sim.settled();
    await using db = await open();
    expect(await takeIn(sim, db, order)).toEqual(["comment.created", "issue.assigned", "issue.closed", "issue.opened"]);
  });
});
