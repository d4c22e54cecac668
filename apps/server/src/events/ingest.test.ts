import { describe, expect, test } from "bun:test";
import type { Snapshot } from "../domain/event.ts";
import type { Normalised } from "../domain/forge.ts";
import type { DeliveryId } from "../domain/ids.ts";
import { alice, bot, comment, issue, pull, repository, subject } from "./testing/observations.ts";
import { observation, setUp } from "./testing/set-up.ts";

describe("ingest", () => {
  test("stores thread, snapshot and events, marks the delivery, and tells of the events", async () => {
    const { store, ingest, receive, events } = setUp();
    const id = receive(observation(subject("opened", issue({ assignees: [bot] }))));
    expect(await ingest.drain()).toEqual({ settled: 1, left: 0 });
    expect(store.settled(id)).toEqual({ state: "normalised", reason: null });
    const [thread] = store.state.threads;
    expect(thread).toMatchObject({
      forge: "home",
      repositoryId: 7,
      repository: "acme/widgets",
      number: 12,
      kind: "issue",
    });
    expect(store.state.events).toMatchObject([
      { kind: "issue.opened", thread: thread!.id, actor: alice, delivery: id, receivedAt: 1001, repository },
      { kind: "issue.assigned", thread: thread!.id, assignee: bot },
    ]);
    expect(events).toEqual(store.state.events.map((event) => event.id));
  });

  test("records what is of no interest, what is unreadable and what is no JSON, each with the reason", async () => {
    const { store, ingest, receive, faults } = setUp();
    const boring = receive({ kind: "no-interest", reason: "milestones are not followed" });
    const broken = receive({ kind: "unreadable", reason: "issue.number: expected a number" });
    const text = receive(new TextEncoder().encode("{"));
    const bytes = receive(new Uint8Array([0x22, 0xff, 0x22]));
    expect(await ingest.drain()).toEqual({ settled: 4, left: 0 });
    expect(store.settled(boring)).toEqual({ state: "ignored", reason: "milestones are not followed" });
    expect(store.settled(broken)).toEqual({ state: "failed", reason: "issue.number: expected a number" });
    for (const id of [text, bytes]) {
      expect(store.settled(id)?.state).toBe("failed");
      expect(store.settled(id)?.reason).toStartWith("it could not be read: ");
    }
    expect(faults.map(({ delivery }) => delivery)).toEqual([broken, text, bytes]);
  });

  test("does not stop at a delivery whose adapter throws", async () => {
    const { store, ingest, receive } = setUp({
      normalise: (delivery, payload) => {
        if (delivery.id.endsWith("1")) throw new Error("a bug");
        return payload as Normalised;
      },
    });
    const poison = receive(observation(subject("opened", issue())));
    const good = receive(observation(comment(issue())));
    await ingest.drain();
    expect(store.settled(poison)).toEqual({ state: "failed", reason: "it could not be read: a bug" });
    expect(store.settled(good)?.state).toBe("normalised");
  });

  test("makes one event of one happening under two delivery ids, and says so", async () => {
    const { store, ingest, receive, kinds, events } = setUp();
    receive(observation(comment(issue())));
    const replay = receive(observation(comment(issue())));
    await ingest.drain();
    expect(kinds()).toEqual(["comment.created"]);
    expect(events).toHaveLength(1);
    expect(store.settled(replay)).toEqual({
      state: "normalised",
      reason: "nothing new, seen before: home/7/comment:501:created",
    });
  });

  test("says that a delivery showed no change", async () => {
    const { store, ingest, receive } = setUp();
    receive(observation(subject("opened", issue({ assignees: [bot] }))));
    const id = receive(observation(subject("assigned", issue({ assignees: [bot] }))));
    await ingest.drain();
    expect(store.settled(id)).toEqual({ state: "normalised", reason: "it shows no change" });
  });

  test("puts the pull request that we opened into its issue's thread, and a person's into one of its own", async () => {
    const { store, ingest, receive } = setUp();
    receive(observation(subject("opened", issue())));
    await ingest.drain();
    const [thread] = store.state.threads;
    store.ownBranches.set("home/7/dev/12", thread!.id);
    receive(observation(subject("opened", pull())));
    receive(observation(comment(pull(), { id: 502 })));
    const theirs: Snapshot = pull({ number: 14, pull: { ...pull().pull!, headBranch: "mallory:dev/12" } });
    receive(observation(subject("opened", theirs)));
    await ingest.drain();
    const threadOf = (number: number) =>
      new Set(
        store.state.events
          .filter((event) => "subject" in event && event.subject.number === number)
          .map((event) => event.thread),
      );
    expect(threadOf(13)).toEqual(new Set([thread!.id]));
    expect(store.state.threads).toHaveLength(2);
    expect(threadOf(14)).toEqual(new Set([store.state.threads[1]!.id]));
    expect(store.state.threads[1]).toMatchObject({ number: 14, kind: "pull_request" });
  });

  test("stores a push and a run without a thread", async () => {
    const { store, ingest, receive } = setUp();
    const push = { repository, actor: bot, kind: "push", branch: "main", before: "0", after: "a" } as const;
    receive(observation(push));
    await ingest.drain();
    expect(store.state.events).toMatchObject([{ kind: "push", thread: null }]);
    expect(store.state.threads).toEqual([]);
  });

  test("looks once more when called while it works", async () => {
    const { store, ingest, receive } = setUp();
    receive(observation(comment(issue())));
    let called: Promise<unknown> | undefined;
    let late: DeliveryId | undefined;
    store.beforeStep = (step) => {
      if (step !== "commit" || called !== undefined) return;
      late = receive(observation(comment(issue(), { id: 502 })));
      called = ingest.drain();
    };
    expect(await ingest.drain()).toEqual({ settled: 2, left: 0 });
    await called;
    expect(store.settled(late!)?.state).toBe("normalised");
  });

  test("leaves a delivery that the database refuses while it refuses everything, and loses nothing", async () => {
    const { store, ingest, receive, faults } = setUp();
    const id = receive(observation(comment(issue())));
    store.beforeStep = () => {
      throw new Error("database is locked");
    };
    for (let pass = 0; pass < 9; pass += 1) expect(await ingest.drain()).toEqual({ settled: 0, left: 1 });
    expect(faults).toHaveLength(9);
    expect(faults.every(({ failed }) => !failed)).toBe(true);
    store.beforeStep = () => undefined;
    expect(await ingest.drain()).toEqual({ settled: 1, left: 0 });
    expect(store.settled(id)).toEqual({ state: "normalised", reason: null });
  });

  test("fails a delivery that alone the database refuses, and never lets it block others", async () => {
    const { store, ingest, receive, faults } = setUp();
    const poison = receive(observation(comment(issue(), { id: 666 })));
    const good = receive(observation(comment(issue())));
    store.beforeStep = (step, detail) => {
      if (step === "addEvent" && detail?.includes("comment:666") === true) throw new Error("value too large");
    };
    expect(await ingest.drain()).toEqual({ settled: 1, left: 1 });
    expect(store.settled(good)?.state).toBe("normalised");
    for (let pass = 0; pass < 4; pass += 1) await ingest.drain();
    expect(store.settled(poison)).toEqual({
      state: "failed",
      reason: "it could not be stored (try 5 of 5): value too large",
    });
    expect(faults.at(-1)).toMatchObject({ delivery: poison, failed: true });
    expect(store.state.events).toHaveLength(1);
  });

  test("keeps nothing of a delivery that someone else settled meanwhile", async () => {
    const { store, ingest, receive, events } = setUp();
    const id = receive(observation(comment(issue())));
    store.beforeStep = (step) => {
      if (step !== "settle") return;
      store.state.deliveries.find((delivery) => delivery.id === id)!.state = "normalised";
    };
    await ingest.drain();
    expect(events).toEqual([]);
    expect(store.state.events).toEqual([]);
  });
});
