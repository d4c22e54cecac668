import { describe, expect, test } from "bun:test";
import { forEachDatabase } from "../../../../../tests/support/databases.ts";
import type { RunId, TaskId } from "../../domain/ids.ts";
import { newId } from "../ids.ts";
import type { Handle } from "./handle.ts";
import { createTaskStore, type NewTask } from "./tasks.ts";
import { type Seed, seed } from "./testing/seed.ts";

const now = 10_000;
const work = ({ lane, thread, cause }: Seed, over: Partial<NewTask> = {}): NewTask => ({
  lane,
  agentType: "dev",
  thread: thread.id,
  skill: "implement",
  cause,
  dueAt: now,
  ...over,
});

forEachDatabase((_, open) => {
  async function running(db: Handle, at: Seed): Promise<{ id: TaskId; run: RunId }> {
    const store = createTaskStore(db);
    const { task } = await store.enqueue(work(at));
    const run = newId.run();
    expect(await store.claim(task.id, run, now)).toMatchObject({ state: "running", run });
    return { id: task.id, run };
  }

  describe("enqueue", () => {
    test("makes a queued task of the lane", async () => {
      await using db = await open();
      const store = createTaskStore(db);
      const at = await seed(db);
      const { task, joined } = await store.enqueue(work(at));
      expect(joined).toBe(false);
      expect(task).toMatchObject({
        lane: at.lane,
        state: "queued",
        attempts: 0,
        nextDueAt: now,
        run: null,
        reason: null,
      });
      expect(await store.get(task.id)).toEqual(task);
    });

    test("joins a task that waits, which keeps its skill and its cause and takes the earlier time", async () => {
      await using db = await open();
      const store = createTaskStore(db);
      const at = await seed(db);
      const { task } = await store.enqueue(work(at));
      const later = await store.enqueue(work(at, { dueAt: now + 5, skill: "review" }));
      expect(later).toEqual({ joined: true, task });
      const earlier = await store.enqueue(work(at, { dueAt: now - 5 }));
      expect(earlier).toEqual({ joined: true, task: { ...task, nextDueAt: now - 5 } });
    });

    test("many at once make one task of a lane", async () => {
      await using db = await open();
      const store = createTaskStore(db);
      const [one, two] = [await seed(db, 1), await seed(db, 2)];
      const made = await Promise.all([one, two, one, two, one, one].map((at) => store.enqueue(work(at))));
      expect(new Set(made.map(({ task }) => task.id)).size).toBe(2);
      expect(made.filter(({ joined }) => !joined)).toHaveLength(2);
    });

    test("beside a running task makes one that follows it", async () => {
      await using db = await open();
      const store = createTaskStore(db);
      const at = await seed(db);
      const { id, run } = await running(db, at);
      const { task, joined } = await store.enqueue(work(at));
      expect(joined).toBe(false);
      expect(await store.dueIn(at.lane, now)).toBeNull();
      expect(await store.claim(task.id, newId.run(), now)).toBeNull();
      await store.succeed(id, run);
      expect((await store.dueIn(at.lane, now))?.id).toBe(task.id);
      expect(await store.claim(task.id, newId.run(), now)).not.toBeNull();
    });

    test("wakes a parked task and forgets its attempts", async () => {
      await using db = await open();
      const store = createTaskStore(db);
      const at = await seed(db);
      const { id, run } = await running(db, at);
      await store.park(id, run, { reason: "the model is overloaded", until: now + 60_000 });
      const { task, joined } = await store.enqueue(work(at, { dueAt: now + 20 }));
      expect(joined).toBe(true);
      expect(task).toMatchObject({ id, state: "queued", nextDueAt: now + 20, attempts: 0, reason: null });
    });
  });

  describe("claim", () => {
    test("takes a task once, when it is due, and counts the attempt", async () => {
      await using db = await open();
      const store = createTaskStore(db);
      const { task } = await store.enqueue(work(await seed(db)));
      expect(await store.claim(task.id, newId.run(), now - 1)).toBeNull();
      const claims = await Promise.all(Array.from({ length: 8 }, () => store.claim(task.id, newId.run(), now)));
      expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
      expect(claims.find((claim) => claim !== null)?.attempts).toBe(1);
    });

    test("of what is not there is nothing", async () => {
      await using db = await open();
      expect(await createTaskStore(db).claim(newId.task(), newId.run(), now)).toBeNull();
    });
  });

  test("what is due comes longest due first, without lanes that run, and says when the next is", async () => {
    await using db = await open();
    const store = createTaskStore(db);
    const seeds = [await seed(db, 1), await seed(db, 2), await seed(db, 3), await seed(db, 4)];
    expect(await store.nextDueAt()).toBeNull();
    await running(db, seeds[0]!);
    await store.enqueue(work(seeds[0]!, { dueAt: now - 90 }));
    const late = await store.enqueue(work(seeds[1]!, { dueAt: now - 10 }));
    const later = await store.enqueue(work(seeds[2]!, { dueAt: now - 20 }));
    await store.enqueue(work(seeds[3]!, { dueAt: now + 1 }));
    expect((await store.due(now, 10)).map(({ id }) => id)).toEqual([later.task.id, late.task.id]);
    expect((await store.due(now, 1)).map(({ id }) => id)).toEqual([later.task.id]);
    expect(await store.nextDueAt()).toBe(now - 20);
    expect((await store.running()).map(({ lane }) => lane)).toEqual([seeds[0]!.lane]);
    expect((await store.runningIn(seeds[0]!.lane))?.state).toBe("running");
    expect(await store.runningIn(seeds[1]!.lane)).toBeNull();
  });

  describe("the end of a run", () => {
    test("moves the task on once, and not for a run that has lost it", async () => {
      await using db = await open();
      const store = createTaskStore(db);
      const ends = [
        (id: TaskId, run: RunId) => store.succeed(id, run),
        (id: TaskId, run: RunId) => store.fail(id, run, "no change"),
        (id: TaskId, run: RunId) => store.cancel(id, run, "stopped by ada"),
        (id: TaskId, run: RunId) => store.park(id, run, { reason: "tired", until: null }),
        (id: TaskId, run: RunId) => store.requeue(id, run, { dueAt: 0, countAttempt: true, reason: "crashed" }),
      ];
      const seen = [];
      for (const [index, end] of ends.entries()) {
        const { id, run } = await running(db, await seed(db, index + 1));
        expect(await end(id, newId.run())).toBe(false);
        expect(await store.get(id)).toMatchObject({ state: "running", run });
        expect(await end(id, run)).toBe(true);
        expect(await end(id, run)).toBe(false);
        const task = await store.get(id);
        seen.push([task?.state, task?.reason, task?.run]);
      }
      expect(seen).toEqual([
        ["succeeded", null, null],
        ["failed", "no change", null],
        ["cancelled", "stopped by ada", null],
        ["parked", "tired", null],
        ["queued", "crashed", null],
      ]);
    });

    test("requeued it waits for its time, with the attempt counted or not", async () => {
      await using db = await open();
      const store = createTaskStore(db);
      const at = await seed(db);
      const { id, run } = await running(db, at);
      await store.requeue(id, run, { dueAt: now + 5, countAttempt: true, reason: "crashed" });
      expect(await store.claim(id, newId.run(), now + 4)).toBeNull();
      const second = newId.run();
      expect((await store.claim(id, second, now + 5))?.attempts).toBe(2);
      await store.requeue(id, second, { dueAt: now + 6, countAttempt: false, reason: "the service stopped" });
      expect((await store.get(id))?.attempts).toBe(1);
    });

    test("parked it waits for its time, or for no time at all", async () => {
      await using db = await open();
      const store = createTaskStore(db);
      const [first, second] = [await seed(db, 1), await seed(db, 2)];
      const timed = await running(db, first);
      const untimed = await running(db, second);
      await store.park(timed.id, timed.run, { reason: "limit", until: now + 9 });
      await store.park(untimed.id, untimed.run, { reason: "tired", until: null });
      expect(await store.nextDueAt()).toBe(now + 9);
      expect((await store.due(now + 9, 10)).map(({ id }) => id)).toEqual([timed.id]);
      expect((await store.claim(timed.id, newId.run(), now + 9))?.attempts).toBe(2);
      expect(await store.nextDueAt()).toBeNull();
    });

    test.each(["requeue", "park"] as const)("%s takes in what was asked for meanwhile", async (way) => {
      await using db = await open();
      const store = createTaskStore(db);
      const at = await seed(db);
      const { id, run } = await running(db, at);
      const { task: follower } = await store.enqueue(work(at, { dueAt: now + 3 }));
      const back = {
        requeue: () => store.requeue(id, run, { dueAt: now + 60, countAttempt: true, reason: "crashed" }),
        park: () => store.park(id, run, { reason: "tired", until: null }),
      };
      expect(await back[way]()).toBe(true);
      expect(await store.get(id)).toMatchObject({ state: "queued", nextDueAt: now + 3, attempts: 1 });
      expect(await store.get(follower.id)).toMatchObject({ state: "cancelled", reason: `joined task ${id}` });
    });

    test("a run that has lost its task takes nothing in", async () => {
      await using db = await open();
      const store = createTaskStore(db);
      const at = await seed(db);
      const { id } = await running(db, at);
      const { task: follower } = await store.enqueue(work(at));
      expect(await store.requeue(id, newId.run(), { dueAt: 0, countAttempt: true, reason: "late" })).toBe(false);
      expect((await store.get(follower.id))?.state).toBe("queued");
    });

    test("causes that come while it is put back are neither lost nor doubled", async () => {
      await using db = await open();
      const store = createTaskStore(db);
      for (let round = 1; round <= 8; round++) {
        const at = await seed(db, round);
        const { id, run } = await running(db, at);
        const requeue = store.requeue(id, run, { dueAt: now + 60, countAttempt: true, reason: "crashed" });
        const causes = [1, 2, 3].map(() => store.enqueue(work(at)));
        expect(await requeue).toBe(true);
        await Promise.all(causes);
        const waiting = (await store.list({ lane: at.lane })).filter(({ state }) => state === "queued");
        expect(waiting.map((task) => [task.id, task.nextDueAt])).toEqual([[id, now]]);
      }
    });
  });

  test("one that waits is cancelled without a run, one that runs is not", async () => {
    await using db = await open();
    const store = createTaskStore(db);
    const { task } = await store.enqueue(work(await seed(db, 1)));
    const { id } = await running(db, await seed(db, 2));
    expect(await store.cancel(task.id, null, "closed")).toBe(true);
    expect(await store.cancel(id, null, "closed")).toBe(false);
    expect((await store.get(task.id))?.state).toBe("cancelled");
  });

  test("lists go from the newest back, by state and lane", async () => {
    await using db = await open();
    const store = createTaskStore(db);
    const [first, second] = [await seed(db, 1), await seed(db, 2)];
    const { id } = await running(db, first);
    const { task } = await store.enqueue(work(second));
    expect((await store.list()).map((each) => each.id)).toEqual([task.id, id]);
    expect((await store.list({ limit: 1, before: task.id })).map((each) => each.id)).toEqual([id]);
    expect((await store.list({ state: "queued" })).map((each) => each.id)).toEqual([task.id]);
    expect((await store.list({ lane: first.lane })).map((each) => each.id)).toEqual([id]);
  });
});
