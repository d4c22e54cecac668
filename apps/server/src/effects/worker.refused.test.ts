import { describe, expect, test } from "bun:test";
import type { EffectBody } from "../domain/effect.ts";
import { at, comments, opening, pulls, receipt, startWorld, writes } from "./testing/world.ts";

describe("an effect whose time has gone", () => {
  test("is superseded, and says why, where its issue was closed", async () => {
    await using world = await startWorld();
    await world.sim.as("owner").closeIssue({ ...at, number: 1 });
    const effect = await world.enqueue({ body: opening, preconditions: [{ kind: "issue_open", number: 1 }] });
    await world.worker().start();
    await world.book.moved(effect.id, "supersede");
    expect(await world.stateOf(effect.id)).toMatchObject({
      state: "superseded",
      error: "#1 was closed in the meantime",
    });
    expect(world.ends).toEqual(["open_pull_request superseded"]);
    expect(pulls(world)).toEqual([]);
  });

  test("is superseded where its branch moved, or is gone", async () => {
    await using world = await startWorld();
    const preconditions = [{ kind: "branch_head", branch: "dev/1", sha: world.head } as const];
    const worker = world.worker();
    await worker.start();
    const now = await world.push();
    const moved = await world.enqueue({ body: opening, preconditions });
    worker.wake();
    await world.book.moved(moved.id, "supersede");
    expect((await world.stateOf(moved.id)).error).toContain(`from ${world.head} to ${now}`);
    await world.sim.as("dev-bot").deleteBranch({ ...at, name: "dev/1" });
    const gone = await world.enqueue({ body: opening, preconditions });
    worker.wake();
    await world.book.moved(gone.id, "supersede");
    expect((await world.stateOf(gone.id)).error).toContain("was deleted");
  });

  test("is done all the same where an earlier try had written it", async () => {
    await using world = await startWorld();
    const preconditions = [{ kind: "issue_open", number: 1 } as const];
    const effect = await world.enqueue({ body: opening, preconditions });
    await world.store.markSending(effect.id);
    await world.sim
      .as("dev-bot")
      .createPull({ ...at, head: "dev/1", base: "main", title: "Fix it", body: opening.body });
    await world.sim.as("owner").closeIssue({ ...at, number: 1 });
    await world.worker().start();
    await world.book.moved(effect.id, "done");
    expect(pulls(world)).toHaveLength(1);
  });
});

describe("an effect that the forge refuses", () => {
  test("is tried again later, and done when the forge is well", async () => {
    await using world = await startWorld();
    const effect = await world.enqueue({ body: receipt("done") });
    world.sim.faults.fail({ method: "POST", status: 429 });
    await world.worker().start();
    await world.book.moved(effect.id, "retryAt");
    expect(await world.stateOf(effect.id)).toMatchObject({ state: "pending", attempts: 1 });
    expect((await world.stateOf(effect.id)).error).toContain("429 (rate-limited)");
    await world.pass(60_000);
    await world.book.moved(effect.id, "done");
    expect(comments(world)).toHaveLength(1);
  });

  test("eight times is parked with what to do, and the thread goes on", async () => {
    await using world = await startWorld();
    const effect = await world.enqueue({ body: opening });
    const next = await world.enqueue({ body: receipt("done") });
    const down = world.sim.faults.fail({ method: "POST", path: "/pulls", status: 503, times: 99 });
    await world.worker().start();
    for (let tries = 1; tries < 8; tries += 1) {
      await world.book.moved(effect.id, "retryAt", tries);
      await world.pass(60 * 60_000);
    }
    await world.book.moved(effect.id, "park");
    expect(down.hits).toBe(8);
    const { error } = await world.stateOf(effect.id);
    expect(error).toContain("503 (unavailable)");
    expect(error).toContain("It was tried 8 times: mend the forge, then start the agent again.");
    await world.book.moved(next.id, "done");
    expect(world.ends).toEqual(["open_pull_request parked", "upsert_comment done"]);
  });

  test("for good is parked at once, and says what to do", async () => {
    await using world = await startWorld();
    const worker = world.worker();
    await worker.start();
    const parked = async (body: EffectBody, author = "dev") => {
      const effect = await world.enqueue({ body, author });
      worker.wake();
      await world.book.moved(effect.id, "park");
      const { error, attempts } = await world.stateOf(effect.id);
      expect(attempts).toBe(1);
      return error;
    };
    expect(await parked(receipt("done"), "reviewer")).toContain("agents.reviewer.users has no user");
    expect(await parked(receipt("done", 99))).toContain("404 (not-found)");
    expect(await parked({ ...opening, head: "main" })).toContain("422 (invalid)");
    world.sim.revokeToken(world.token);
    expect(await parked(receipt("done"))).toContain("Make a new token for dev-bot");
    expect(writes(world).filter(({ status }) => status < 400)).toEqual([]);
  });

  test("by silence holds back no other thread", async () => {
    await using world = await startWorld();
    const silent = world.sim.faults.hold({ method: "POST", path: "/issues/1/" });
    const stuck = await world.enqueue({ body: receipt("done", 1), issue: 1 });
    const worker = world.worker();
    await worker.start();
    await silent.reached;
    const other = await world.enqueue({ body: receipt("done", 2), issue: 2 });
    worker.wake();
    await world.book.moved(other.id, "done");
    expect(await world.stateOf(stuck.id)).toMatchObject({ state: "sending" });
    silent.remove();
    await world.book.moved(stuck.id, "done");
  });
});
