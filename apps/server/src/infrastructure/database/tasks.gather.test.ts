import { expect, test } from "bun:test";
import { forEachDatabase } from "../../../../../tests/support/databases.ts";
import { newId } from "../ids.ts";
import { createTaskStore, type NewTask } from "./tasks.ts";
import { type Seed, seed } from "./testing/seed.ts";

const now = 10_000;
const work = ({ lane, thread, cause }: Seed, over: Partial<NewTask> = {}): NewTask => ({
  lane,
  agentType: "dev",
  thread: thread.id,
  skill: "follow-up",
  cause,
  dueAt: now,
  ...over,
});
/** Something that was said at this time, gathered for 20 s after the last and 60 s after the first. */
const said = (at: Seed, time: number) => work(at, { dueAt: time + 20_000, gathersUntil: time + 60_000 });

forEachDatabase((_, open) => {
  test("what gathers is put off by more of it, up to the first one's limit", async () => {
    await using db = await open();
    const store = createTaskStore(db);
    const at = await seed(db);
    const due: number[] = [];
    for (const time of [now, now + 15_000, now + 30_000, now + 45_000, now + 59_000])
      due.push((await store.enqueue(said(at, time))).task.nextDueAt - now);
    expect(due).toEqual([20_000, 35_000, 50_000, 60_000, 60_000]);
  });

  test("what starts at once is not put off by what gathers, in whatever order they come", async () => {
    await using db = await open();
    const store = createTaskStore(db);
    const at = await seed(db);
    await store.enqueue(said(at, now));
    expect((await store.enqueue(work(at, { dueAt: now + 1 }))).task.nextDueAt).toBe(now + 1);
    expect((await store.enqueue(said(at, now + 2))).task.nextDueAt).toBe(now + 1);
  });

  test("a parked task that hears something gathers from then on", async () => {
    await using db = await open();
    const store = createTaskStore(db);
    const at = await seed(db);
    const { task } = await store.enqueue(work(at));
    const run = newId.run();
    await store.claim(task.id, run, now);
    await store.park(task.id, run, { reason: "it waits", until: null });
    expect((await store.enqueue(said(at, now))).task.nextDueAt).toBe(now + 20_000);
    expect((await store.enqueue(said(at, now + 10_000))).task.nextDueAt).toBe(now + 30_000);
  });

  test("a task that was tried waits for its retry, whatever is said", async () => {
    await using db = await open();
    const store = createTaskStore(db);
    const at = await seed(db);
    const { task } = await store.enqueue(said(at, now));
    const run = newId.run();
    await store.claim(task.id, run, now + 20_000);
    await store.requeue(task.id, run, { dueAt: now + 25_000, countAttempt: true, reason: "it failed" });
    expect((await store.enqueue(said(at, now + 21_000))).task.nextDueAt).toBe(now + 25_000);
  });

  test("only a running task is marked to be stopped, and a waiting one is found by its lane", async () => {
    await using db = await open();
    const store = createTaskStore(db);
    const at = await seed(db);
    const { task } = await store.enqueue(work(at));
    expect(await store.stop(task.id, "ada stopped it")).toBe(false);
    expect((await store.waitingIn(at.lane))?.id).toBe(task.id);
    await store.claim(task.id, newId.run(), now);
    expect(await store.waitingIn(at.lane)).toBeNull();
    expect(await store.stop(task.id, "ada stopped it")).toBe(true);
    expect((await store.get(task.id))?.stop).toBe("ada stopped it");
  });
});
