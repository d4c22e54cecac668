import { expect, setDefaultTimeout, test } from "bun:test";
import type { RunDetail } from "@claude-hooks/api";
import type { Turn } from "@claude-hooks/model-sim";
import { assignIssue, devScript, receipts, says, sh, told, widgets } from "./play.ts";
import { testTimeoutMs, until } from "./until.ts";
import { openWorld, repository } from "./world.ts";

setDefaultTimeout(testTimeoutMs);

const more = sh("echo more >> log.txt && git add -A && git commit -q -m 'Log more'");
/** A commit whenever asked, however often; the gate keeps its run going until a test opens it. */
const whenAsked = (gate?: string): Turn => ({
  repeat: true,
  steps: [{ tools: [more], ...(gate === undefined ? {} : { gate }) }, says("Logged.")],
});

const timesIn = (text: string, part: string): number => text.split(part).length - 1;

/** No run began before the one before it had ended. */
function expectOneAfterTheOther(runs: readonly RunDetail[]): void {
  for (const [index, run] of runs.slice(1).entries())
    expect(run.started_at).toBeGreaterThanOrEqual(runs[index]?.finished_at ?? Number.POSITIVE_INFINITY);
}

test("two comments in one second never run side by side, and each reaches the agent once", async () => {
  await using world = await openWorld({ script: devScript(whenAsked()) });
  const { forge, model } = world;
  const service = await world.start();
  const issue = await assignIssue(forge);
  await service.finished(1);
  const words = ["first-word-7c1", "second-word-2e9"];
  await Promise.all(
    words.map((word) => forge.as("alice").comment({ ...widgets, number: 2, body: `@dev-bot ${word}` })),
  );
  await forge.settled();
  await until("both comments to be told", async () => {
    const all = model.requests().map(told).join("");
    return words.every((word) => all.includes(word)) ? true : null;
  });
  const runs = await service.idle();
  expect(runs.length).toBeLessThanOrEqual(3);
  const worked = runs.filter(({ session }) => session !== null);
  expect(new Set(worked.map(({ session, outcome }) => `${session} ${outcome}`)).size).toBe(1);
  // What came while the other's prompt was gathered was told with it, and is not told again.
  const idleRuns = runs.filter(({ session }) => session === null).map(({ failure }) => failure);
  expect(idleRuns).toEqual(idleRuns.map(() => "it was called off: an earlier run was told of it already"));
  expectOneAfterTheOther(runs);
  const conversation = told(model.requests().at(-1)!);
  expect(words.map((word) => timesIn(conversation, word))).toEqual([1, 1]);
  expect(forge.pullRequests(repository)).toHaveLength(1);
  expect(receipts(forge, issue)).toHaveLength(1);
  expect(model.unexpected()).toEqual([]);
});

test("comments that come while the agent works reach it there, and start no second run", async () => {
  const script = devScript(
    { when: { prompt: "Implement issue #1" }, ...whenAsked("at-work"), repeat: false },
    whenAsked(),
  );
  await using world = await openWorld({ script });
  const { forge, model } = world;
  const service = await world.start();
  const issue = await assignIssue(forge);
  await model.waitAtGate("at-work");
  const words = ["third-word-5d4", "fourth-word-8a6"];
  for (const word of words) await forge.as("alice").comment({ ...widgets, number: issue, body: `@dev-bot ${word}` });
  await forge.settled();
  await until("the agent to be told of both", async () => {
    const times = service.log.split("the working agent was told of what came").length - 1;
    return times === 2 ? true : null;
  });
  expect(await service.status()).toMatchObject({ running: 1, queued: 1 });
  expect(model.requests()).toHaveLength(1);
  model.open("at-work");

  const [run] = await service.finished(1);
  expect(await service.idle()).toHaveLength(1);
  expect(run).toMatchObject({ outcome: "succeeded", skill: "implement" });
  const conversation = told(model.requests().at(-1)!);
  expect(words.map((word) => timesIn(conversation, word))).toEqual([1, 1]);
  expect(model.unexpected()).toEqual([]);
});

test("issues run side by side up to the limit, and the next waits for a place", async () => {
  await using world = await openWorld({ script: devScript(whenAsked("at-work")) });
  const { forge, model } = world;
  const service = await world.start();
  const issues = [await assignIssue(forge, "One"), await assignIssue(forge, "Two"), await assignIssue(forge, "Three")];
  const atWork = await until("two agents at work", async () => {
    const conversations = new Set(model.requests().map(({ conversation }) => conversation));
    return conversations.size === 2 ? conversations : null;
  });
  await until("the third to wait", async () => {
    const { running, queued } = await service.status();
    return running === 2 && queued === 1 ? true : null;
  });
  expect(new Set(model.requests().map(({ conversation }) => conversation))).toEqual(atWork);
  model.open("at-work");

  const runs = await service.finished(3);
  expect(runs.map(({ outcome }) => outcome)).toEqual(["succeeded", "succeeded", "succeeded"]);
  const [one, two, three] = runs.toSorted((a, b) => a.started_at - b.started_at);
  expect(two?.started_at).toBeLessThan(one?.finished_at ?? 0);
  expect(three?.started_at).toBeGreaterThanOrEqual(Math.min(one?.finished_at ?? 0, two?.finished_at ?? 0));
  expect(
    forge
      .pullRequests(repository)
      .map(({ head }) => head.ref)
      .toSorted(),
  ).toEqual(["dev/1", "dev/2", "dev/3"]);
  expect(issues.map((issue) => receipts(forge, issue).length)).toEqual([1, 1, 1]);
  expect(model.unexpected()).toEqual([]);
});
