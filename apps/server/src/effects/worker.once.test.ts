import { describe, expect, test } from "bun:test";
import type { EffectBody } from "../domain/effect.ts";
import { at, comments, marker, opening, pullMarker, pulls, receipt, startWorld, writes } from "./testing/world.ts";

describe("an effect is sent once:", () => {
  test("a pull request is opened and a comment is written, in the order of the thread", async () => {
    await using world = await startWorld();
    const first = await world.enqueue({ body: opening });
    const second = await world.enqueue({ body: receipt("done") });
    await world.worker().start();
    await world.book.moved(second.id, "done");
    const [pull] = pulls(world);
    expect(await world.stateOf(first.id)).toMatchObject({
      state: "done",
      result: { kind: "pull_request", number: pull!.number, url: pull!.html_url },
    });
    expect(pull).toMatchObject({ title: "Fix it", user: { login: "dev-bot" } });
    expect(comments(world)).toEqual([`${marker}\n\ndone`]);
    expect(world.ends).toEqual(["open_pull_request done", "upsert_comment done"]);
  });

  test.each<[string, EffectBody, string]>([
    ["a pull request", opening, "/pulls"],
    ["a comment", receipt("done"), "/comments"],
  ])("%s whose answer was lost is found again at once", async (_, body, path) => {
    await using world = await startWorld();
    const effect = await world.enqueue({ body });
    const lost = world.sim.faults.dropReply({ method: "POST", path });
    await world.worker().start();
    await world.book.moved(effect.id, "done");
    expect(lost.hits).toBe(1);
    expect(await world.stateOf(effect.id)).toMatchObject({ state: "done", attempts: 1 });
    expect(pulls(world).length + comments(world).length).toBe(1);
  });

  test.each<[string, EffectBody, string]>([
    ["a pull request", opening, "/pulls"],
    ["a comment", receipt("done"), "/comments"],
  ])("%s whose answer was lost by a forge that then went down is found when it is back", async (_, body, path) => {
    await using world = await startWorld();
    const effect = await world.enqueue({ body });
    const post = world.sim.faults.hold({ method: "POST", path, times: 1 });
    world.sim.faults.dropReply({ method: "POST", path });
    await world.worker().start();
    await post.reached;
    const down = world.sim.faults.fail({ method: "GET", path, status: 502 });
    post.remove();
    await world.book.moved(effect.id, "retryAt");
    expect(down.hits).toBe(1);
    expect((await world.stateOf(effect.id)).error).toContain("lost the connection");
    await world.pass(10_000);
    await world.book.moved(effect.id, "done");
    expect(writes(world)).toHaveLength(1);
    expect(pulls(world).length + comments(world).length).toBe(1);
  });

  test("a comment whose change was lost is changed once", async () => {
    await using world = await startWorld();
    const first = await world.enqueue({ body: receipt("working") });
    const worker = world.worker();
    await worker.start();
    await world.book.moved(first.id, "done");
    const second = await world.enqueue({ body: receipt("done") });
    world.sim.faults.dropReply({ method: "PATCH" });
    worker.wake();
    await world.book.moved(second.id, "done");
    expect(comments(world)).toEqual([`${marker}\n\ndone`]);
    expect(writes(world).map(({ method }) => method)).toEqual(["POST", "PATCH"]);
  });

  test("what a killed service had written and not noted is found at the next start", async () => {
    for (const body of [opening, receipt("done")]) {
      await using world = await startWorld();
      const effect = await world.enqueue({ body });
      const written = Promise.withResolvers<void>();
      const killed = world.worker({
        done: () => {
          written.resolve();
          return new Promise(() => undefined);
        },
      });
      await killed.start();
      await written.promise;
      expect(await world.stateOf(effect.id)).toMatchObject({ state: "sending" });
      await world.worker().start();
      await world.book.moved(effect.id, "done");
      expect(pulls(world).length + comments(world).length).toBe(1);
      expect(writes(world)).toHaveLength(1);
    }
  });

  test("what a killed service had not written is written at the next start", async () => {
    await using world = await startWorld();
    const effect = await world.enqueue({ body: opening });
    await world.store.markSending(effect.id);
    await world.worker().start();
    await world.book.moved(effect.id, "done");
    expect(pulls(world)).toHaveLength(1);
    expect((await world.stateOf(effect.id)).attempts).toBe(2);
  });

  test("what the database would not note is looked up, not written again", async () => {
    await using world = await startWorld();
    const effect = await world.enqueue({ body: receipt("done") });
    const failed = Promise.withResolvers<void>();
    let failures = 1;
    const worker = world.worker({
      async done(id, result) {
        if (failures === 0) return world.book.done(id, result);
        failures -= 1;
        failed.resolve();
        throw new Error("disk full");
      },
    });
    await worker.start();
    await failed.promise;
    await world.pass(1_000);
    await world.book.moved(effect.id, "done");
    expect(comments(world)).toHaveLength(1);
    expect(writes(world)).toHaveLength(1);
  });
});

describe("what is there already", () => {
  test("is left alone where it says the same", async () => {
    await using world = await startWorld();
    await world.sim.as("dev-bot").comment({ ...at, number: 1, body: `${marker}\r\n\r\ndone\n` });
    const before = writes(world).length;
    const effect = await world.enqueue({ body: receipt("done") });
    await world.worker().start();
    await world.book.moved(effect.id, "done");
    expect(writes(world)).toHaveLength(before);
  });

  test("is not taken from another user, who copied our marker", async () => {
    await using world = await startWorld();
    await world.sim.as("mallory").comment({ ...at, number: 1, body: `${marker}\n\nfake` });
    const effect = await world.enqueue({ body: receipt("done") });
    await world.worker().start();
    await world.book.moved(effect.id, "done");
    expect(comments(world)).toEqual([`${marker}\n\nfake`, `${marker}\n\ndone`]);
  });

  test("is written anew where it was deleted between look and change", async () => {
    await using world = await startWorld();
    const old = await world.sim.as("dev-bot").comment({ ...at, number: 1, body: `${marker}\n\nold` });
    const effect = await world.enqueue({ body: receipt("new") });
    const change = world.sim.faults.hold({ method: "PATCH" });
    await world.worker().start();
    await change.reached;
    await world.sim.as("owner").deleteComment({ ...at, id: old.id });
    change.remove();
    await world.book.moved(effect.id, "done");
    expect(comments(world)).toEqual([`${marker}\n\nnew`]);
  });

  test("is a person's pull request for our branch: it keeps its words and gets ours once", async () => {
    await using world = await startWorld();
    const theirs = await world.sim
      .as("owner")
      .createPull({ ...at, head: "dev/1", base: "main", title: "Mine", body: "My words" });
    const worker = world.worker();
    await worker.start();
    for (const body of [opening, opening]) {
      const effect = await world.enqueue({ body });
      worker.wake();
      await world.book.moved(effect.id, "done");
      expect((await world.stateOf(effect.id)).result).toMatchObject({ number: theirs.number });
    }
    expect(pulls(world)).toMatchObject([{ title: "Mine", body: `My words\n\n${pullMarker}\n\nCloses #1` }]);
  });

  test("is a pull request that someone opened between look and write", async () => {
    await using world = await startWorld();
    const effect = await world.enqueue({ body: opening });
    const hold = world.sim.faults.hold({ method: "POST", path: "/pulls", times: 1 });
    await world.worker().start();
    await hold.reached;
    await world.sim.as("owner").createPull({ ...at, head: "dev/1", base: "main", title: "Mine" });
    hold.remove();
    await world.book.moved(effect.id, "done");
    expect(pulls(world)).toMatchObject([{ title: "Mine", body: opening.body }]);
  });
});
