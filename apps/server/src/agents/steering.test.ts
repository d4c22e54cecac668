import { expect, setDefaultTimeout, test } from "bun:test";
import type { LiveAgent, LiveHooks } from "../domain/live.ts";
import { failed, init, result, text } from "./testing/fakes.ts";
import { bash, layOut, runReal } from "./testing/places.ts";
import { fresh, world } from "./testing/world.ts";

setDefaultTimeout(60_000);

/** Hooks that keep what they hear. */
function listening() {
  const heard: string[][] = [];
  const agents: LiveAgent[] = [];
  const opened = Promise.withResolvers<LiveAgent>();
  const live: LiveHooks = {
    opened(agent) {
      agents.push(agent);
      opened.resolve(agent);
    },
    async told(ids) {
      heard.push([...ids]);
    },
  };
  return { live, heard, agents, opened: opened.promise };
}

test("a message that was sent and not answered keeps the agent's input open until a turn has taken it", async () => {
  const ears = listening();
  const ends: number[] = [];
  const { run, request } = world(
    [
      async function* (doings) {
        yield init;
        expect(ears.agents[0]?.push("later")).toBe("message-2");
        yield result({ told: ["message-1"] });
        ends.push(doings.ends);
        yield result({ told: ["message-2"] });
        ends.push(doings.ends);
        expect(ears.agents[0]?.push("too late")).toBeNull();
      },
    ],
    fresh,
  );
  request.live = ears.live;
  expect(await run()).toMatchObject({ kind: "completed" });
  expect(ends).toEqual([0, 1]);
  expect(ears.heard).toEqual([["message-1"], ["message-2"]]);
  expect(ears.agents[0]?.push("after the end")).toBeNull();
});

test("a turn that failed has told nothing", async () => {
  const ears = listening();
  const { run, request } = world(
    [
      async function* () {
        yield init;
        yield failed({ told: ["message-1"] });
      },
    ],
    fresh,
  );
  request.live = ears.live;
  expect(await run()).toMatchObject({ kind: "failed" });
  expect(ears.heard).toEqual([]);
});

test("an agent that is stopped takes no more, and is killed after two seconds at most", async () => {
  const ears = listening();
  const { run, request, stopping, timers, runtime } = world(
    [
      async function* (_, killed) {
        yield init;
        yield text("working");
        stopping.abort();
        expect(ears.agents[0]?.push("more")).toBeNull();
        await timers.advance(2_000);
        await killed;
        throw new Error("killed");
      },
    ],
    fresh,
  );
  request.live = ears.live;
  request.bounds.graceMs = 60_000;
  expect(await run()).toMatchObject({ kind: "failed", failure: { kind: "interrupted" } });
  expect(runtime.started[0]).toMatchObject({ interrupts: 1, kills: 1 });
});

test("the real agent names the messages that a turn was given: folded into it, or the next one's", async () => {
  await using laid = await layOut([
    {
      steps: [
        { text: "I work.", tools: bash("true"), gate: "tool" },
        { text: "I write.", gate: "text" },
      ],
    },
    { when: { prompt: "SECOND" }, steps: [{ text: "And the second." }] },
  ]);
  const ears = listening();
  const { place, model } = laid;
  const running = runReal(place, { live: ears.live });
  const agent = await ears.opened;
  const ids = [agent.prompt];
  for (const [gate, message] of [
    ["tool", "FOLDED"],
    ["text", "SECOND"],
  ] as const) {
    await model.waitAtGate(gate);
    ids.push(agent.push(message) ?? "refused");
    model.open(gate);
  }
  expect((await running).outcome).toMatchObject({ kind: "completed", report: { summary: "And the second." } });
  expect(ears.heard).toEqual([ids.slice(0, 2), ids.slice(2)]);
  expect(model.unexpected()).toEqual([]);
});
