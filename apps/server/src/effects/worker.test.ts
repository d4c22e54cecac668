import { describe, expect, test } from "bun:test";
import { receipt, startWorld } from "./testing/world.ts";

describe("the worker", () => {
  test("finds by itself what nobody woke it for", async () => {
    await using world = await startWorld();
    await world.worker().start();
    const effect = await world.enqueue({ body: receipt("done") });
    await world.pass(1_000);
    await world.book.moved(effect.id, "done");
  });

  test("stops when what it sends is sent, and takes no more", async () => {
    await using world = await startWorld();
    const effect = await world.enqueue({ body: receipt("done") });
    const hold = world.sim.faults.hold({ method: "POST" });
    const worker = world.worker();
    await worker.start();
    await hold.reached;
    const later = await world.enqueue({ body: receipt("later", 2), issue: 2 });
    const stopped = worker.stop();
    worker.wake();
    hold.remove();
    await stopped;
    expect(await world.stateOf(effect.id)).toMatchObject({ state: "done" });
    expect(await world.stateOf(later.id)).toMatchObject({ state: "pending" });
    expect(world.clock.pending()).toBe(0);
  });

  test("sends what is due before it stops, where it is asked to, and waits no longer than it may", async () => {
    await using world = await startWorld();
    const worker = world.worker();
    await worker.start();
    const effect = await world.enqueue({ body: receipt("last words") });
    const finished = worker.finish(60_000);
    const ended = world.book.moved(effect.id, "done").then(() => true);
    while (!(await Promise.race([ended, world.clock.advance(20).then(() => false)])));
    await world.clock.advance(20);
    await finished;
    const hold = world.sim.faults.hold({ method: "POST" });
    await world.enqueue({ body: receipt("never", 2), issue: 2 });
    const given = worker.finish(1_000);
    await hold.reached.then(() => world.clock.advance(2_000));
    await given;
    hold.remove();
  });

  test("does not wait for ever for a forge that is silent", async () => {
    await using world = await startWorld();
    const effect = await world.enqueue({ body: receipt("done") });
    const hold = world.sim.faults.hold({ method: "POST" });
    const worker = world.worker();
    await worker.start();
    await hold.reached;
    const stopped = worker.stop();
    await world.clock.advance(5_000);
    await stopped;
    expect(await world.stateOf(effect.id)).toMatchObject({ state: "sending" });
    hold.remove();
    await world.book.moved(effect.id, "done");
  });
});
