import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Normalised } from "../domain/forge.ts";
import type { MemoryStore } from "./testing/memory-store.ts";
import { alice, bob, bot, comment, issue, subject } from "./testing/observations.ts";
import { observation, setUp } from "./testing/set-up.ts";

/** A story of one issue as Forgejo would tell it: every delivery with the state of its own second. */
interface Step {
  happening: "assign alice" | "assign bob" | "comment" | "label" | "edit" | "close";
  later: boolean;
}

const steps = fc.array(
  fc.record<Step>({
    happening: fc.constantFrom("assign alice", "assign bob", "comment", "label", "edit", "close"),
    later: fc.boolean(),
  }),
  { maxLength: 8 },
);

function story(happenings: readonly Step[], assignedAtBirth: boolean): Normalised[] {
  let state = issue({ assignees: assignedAtBirth ? [bot] : [], labels: ["bug"] });
  const told = assignedAtBirth ? [observation(subject("assigned", state))] : [];
  told.push(observation(subject("opened", state)));
  happenings.forEach(({ happening, later }, index) => {
    if (later) state = { ...state, updatedAt: state.updatedAt + 1000 };
    switch (happening) {
      case "assign alice":
      case "assign bob": {
        const who = happening === "assign alice" ? alice : bob;
        if (state.assignees.includes(who)) return;
        state = { ...state, assignees: [...state.assignees, who] };
        return void told.push(observation(subject("assigned", state)));
      }
      case "comment":
        return void told.push(observation(comment(state, { id: 600 + index })));
      case "label":
        state = { ...state, labels: [...state.labels, `label-${index}`] };
        return void told.push(observation(subject("labels_changed", state)));
      case "edit":
        state = { ...state, body: `text ${index}` };
        return void told.push(observation(subject("edited", state)));
      case "close":
        state = { ...state, state: "closed" };
        return void told.push(observation(subject("closed", state)));
      default:
        return happening satisfies never;
    }
  });
  return told;
}

const shuffledStory = fc
  .tuple(steps, fc.boolean())
  .map(([happenings, assigned]) => story(happenings, assigned))
  .chain((told) =>
    fc
      .tuple(fc.shuffledSubarray(told), fc.shuffledSubarray([...told, ...told], { minLength: told.length * 2 }))
      .map(([some, all]) => ({ told, arrived: [...some, ...all] })),
  );

/** All but the labels' and the times of assignments: who was assigned, and everything that an action names. */
const essence = (store: MemoryStore): string[] =>
  store.state.events
    .filter(({ kind }) => !kind.endsWith("labeled"))
    .map((event) => ("assignee" in event ? `${event.kind} ${event.assignee.login}` : event.semanticKey))
    .toSorted();

describe("whatever the order of deliveries and their copies", () => {
  test("the same events come out: every assignee, comment, edit and closing once", async () => {
    await fc.assert(
      fc.asyncProperty(shuffledStory, async ({ told, arrived }) => {
        const inOrder = setUp();
        for (const delivery of told) inOrder.receive(delivery);
        await inOrder.ingest.drain();
        const shuffled = setUp();
        for (const delivery of arrived) shuffled.receive(delivery);
        await shuffled.ingest.drain();
        expect(essence(shuffled.store)).toEqual(essence(inOrder.store));
        expect(new Set(essence(shuffled.store)).size).toBe(essence(shuffled.store).length);
      }),
      { numRuns: 400 },
    );
  });

  test("a process that dies at any step, and starts again, loses and doubles nothing", async () => {
    const deaths = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(shuffledStory, deaths, async ({ arrived }, dieAfter) => {
        const undisturbed = setUp();
        const dying = setUp();
        for (const delivery of arrived) {
          undisturbed.receive(delivery);
          dying.receive(delivery);
        }
        await undisturbed.ingest.drain();
        for (const after of dieAfter) {
          let left = after;
          let dead = false;
          dying.store.beforeStep = () => {
            left -= 1;
            dead ||= left <= 0;
            if (dead) throw new Error("killed");
          };
          await dying.ingest.drain();
        }
        dying.store.beforeStep = () => undefined;
        await dying.ingest.drain();
        const bare = ({ store }: typeof dying) => store.state.events.map(({ semanticKey }) => semanticKey);
        expect(bare(dying)).toEqual(bare(undisturbed));
        expect(dying.store.state.deliveries.every(({ state }) => state === "normalised")).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});
