import { expect, test } from "bun:test";
import { forEachDatabase } from "../../../../../tests/support/databases.ts";
import type { MatchFacts } from "../../domain/flow.ts";
import type { LaneKey, SessionId } from "../../domain/ids.ts";
import { newId } from "../ids.ts";
import { createEventStore } from "./events.ts";
import { createInboxStore } from "./inbox.ts";
import { createLaneStore } from "./lanes.ts";
import { createRunStore } from "./runs.ts";
import { createTaskStore } from "./tasks.ts";
import { forge, repositoryId, runOf, seed, storedEvent } from "./testing/seed.ts";

forEachDatabase((_, open) => {
  test("a thread's lanes are those that had a task, and a branch's those that had a run on it", async () => {
    await using db = await open();
    const at = await seed(db);
    const lanes = createLaneStore(db);
    expect(await lanes.ofThread(at.thread.id)).toEqual([]);
    const tasks = createTaskStore(db);
    const work = { agentType: "dev", thread: at.thread.id, skill: "implement", cause: at.cause, dueAt: 0 };
    const { task } = await tasks.enqueue({ ...work, lane: at.lane });
    await tasks.cancel(task.id, null, "it was called off");
    await tasks.enqueue({ ...work, lane: at.lane });
    const lane = { key: at.lane, agentType: "dev", thread: at.thread.id };
    expect(await lanes.ofThread(at.thread.id)).toEqual([lane]);
    expect(await lanes.ofBranch(forge, repositoryId, "dev/1")).toEqual([]);
    await createRunStore(db).create(runOf(task.id, at, { branch: "dev/1" }));
    expect(await lanes.ofBranch(forge, repositoryId, "dev/1")).toEqual([lane]);
    expect(await lanes.ofBranch(forge, repositoryId + 1, "dev/1")).toEqual([]);
    expect(await lanes.ofBranch(forge, repositoryId, "main")).toEqual([]);
  });

  test("of several resets of a lane the last one counts", async () => {
    await using db = await open();
    const lanes = createLaneStore(db);
    const lane = "dev:1" as LaneKey;
    expect(await lanes.lastReset(lane)).toBeNull();
    await lanes.reset(lane, { session: "one" as SessionId, by: "ada", at: 1 });
    await lanes.reset(lane, { session: null, by: "bob", at: 2 });
    expect(await lanes.lastReset(lane)).toEqual({ session: null, by: "bob", at: 2 });
  });

  test("what was known of events is found for many at once", async () => {
    await using db = await open();
    const events = createEventStore(db);
    const [first, second] = [await storedEvent(db), await storedEvent(db)];
    const facts: MatchFacts = {
      actorPermission: "write",
      permissionError: null,
      actorIsOurs: false,
      mentionedAgents: [],
      assignedAgent: null,
      involvedAgents: [],
      thread: null,
    };
    await events.saveDecisions(first, facts, []);
    expect([...(await events.facts([first, second]))]).toEqual([[first, facts]]);
  });

  test("a turn tells only what it was given, and the rest can be given back", async () => {
    await using db = await open();
    const inbox = createInboxStore(db);
    const lane = "dev:1" as LaneKey;
    const [a, b] = [await storedEvent(db), await storedEvent(db)];
    for (const event of [a, b]) await inbox.add(lane, event);
    const run = newId.run();
    await inbox.offer(lane, run);
    expect(await inbox.consume(run, [])).toBe(0);
    expect(await inbox.consume(run, [a])).toBe(1);
    expect(await inbox.giveBack(run, [a])).toBe(0);
    expect(await inbox.giveBack(run)).toBe(1);
    expect(await inbox.pending(lane)).toEqual([b]);
  });
});
