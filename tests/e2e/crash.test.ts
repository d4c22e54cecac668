import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { assignIssue, commitOf, devScript, onePiece, receipts, says } from "./play.ts";
import { jailsIn, processTree, untilGone } from "./processes.ts";
import { testTimeoutMs, until } from "./until.ts";
import { openWorld, repository, type World } from "./world.ts";

setDefaultTimeout(testTimeoutMs);

/** Committed half of it when it is cut off; does the other half when it is asked again. */
const cutOff = devScript(
  { steps: [commitOf("a.txt", "Add a"), says("Half of it is there.", { gate: "at-work" })] },
  { when: { prompt: "You worked on this issue before, in this session" }, ...onePiece("b") },
);

/** One pull request, one receipt which tells that the work is done, and nothing that nobody expected. */
function expectOneOfEach({ forge, model }: World, issue: number): void {
  expect(forge.pullRequests(repository).map(({ state, head }) => [state, head.ref])).toEqual([
    ["open", `dev/${issue}`],
  ]);
  expect(receipts(forge, issue).map(({ body }) => body)).toEqual([expect.stringContaining("**dev** is done: #")]);
  expect(model.unexpected()).toEqual([]);
}

const posted = ({ forge }: World, path: RegExp): number =>
  forge.requests().filter((request) => request.method === "POST" && path.test(request.path)).length;

describe("a service that is killed while the agent works", () => {
  test("takes the run up again in the same session, and leaves no process behind", async () => {
    await using world = await openWorld({ script: cutOff });
    const { forge, model } = world;
    const first = await world.start();
    const issue = await assignIssue(forge);
    const { conversation } = await model.waitAtGate("at-work");
    const tree = await processTree(first.pid);
    expect((await jailsIn(tree)).size).toBe(1);
    await first.kill();
    await untilGone(tree);

    const second = await world.start();
    const [cut, again] = await second.finished(2);
    expect(cut?.failure).toContain("the service stopped while it ran");
    expect(again).toMatchObject({ outcome: "succeeded", session: conversation, attempt: 2, commits: 2 });
    expect(again?.start).toStartWith("resumed");
    expect(await second.idle()).toHaveLength(2);
    expectOneOfEach(world, issue);
    expect(receipts(forge, issue)[0]?.body).toContain("interrupted");
  });
});

describe("a service that is killed between push and pull request", () => {
  const pulls = /\/pulls$/;

  async function killAtPull(world: World) {
    const hold = world.forge.faults.hold({ method: "POST", path: pulls, times: 1 });
    const service = await world.start();
    const issue = await assignIssue(world.forge);
    await hold.reached;
    expect(world.forge.branchHead(repository, `dev/${issue}`)).toBeString();
    const tree = await processTree(service.pid);
    await service.kill();
    await untilGone(tree);
    return { issue, hold };
  }

  test("opens it after the restart without asking the agent again, also where the first request comes late", async () => {
    await using world = await openWorld({ script: devScript(onePiece("first")) });
    const { issue, hold } = await killAtPull(world);
    const asked = world.model.requests().length;
    const service = await world.start();
    const [run] = await service.finished(1);
    expect(run).toMatchObject({ outcome: "succeeded", attempt: 1, pull_request: 2 });
    hold.remove();
    await until("the late request", async () => (posted(world, pulls) === 2 ? true : null));
    expect(await service.idle()).toHaveLength(1);
    expectOneOfEach(world, issue);
    expect(world.model.requests()).toHaveLength(asked);
  });

  test("finds it where the forge had opened it", async () => {
    await using world = await openWorld({ script: devScript(onePiece("first")) });
    const { issue, hold } = await killAtPull(world);
    hold.remove();
    await until("the pull request", async () => (world.forge.pullRequests(repository).length === 1 ? true : null));
    const service = await world.start();
    const [run] = await service.finished(1);
    expect(run).toMatchObject({ outcome: "succeeded", attempt: 1, pull_request: 2 });
    expectOneOfEach(world, issue);
    expect(posted(world, pulls)).toBe(1);
  });
});

test("a push that the forge does not take is pushed again a little later, and no agent works twice", async () => {
  await using world = await openWorld({ script: devScript(onePiece("a")) });
  const { forge, model } = world;
  const refused = forge.faults.fail({ method: "POST", path: /git-receive-pack$/, status: 503, times: 1 });
  const service = await world.start();
  const issue = await assignIssue(forge);
  const [run] = await service.finished(1);
  expect(run).toMatchObject({ outcome: "succeeded", attempt: 1, commits: 1 });
  expect(refused.hits).toBe(1);
  expect(await service.idle()).toHaveLength(1);
  expect(new Set(model.requests().map(({ conversation }) => conversation)).size).toBe(1);
  expectOneOfEach(world, issue);
});

test("a service that is killed before the answer to its receipt finds the receipt again", async () => {
  const script = devScript({ steps: [commitOf("a.txt", "Add a", { gate: "at-work" }), says("Added a.")] });
  await using world = await openWorld({ script });
  const { forge, model } = world;
  const comments = /\/issues\/1\/comments$/;
  const hold = forge.faults.hold({ method: "POST", path: comments });
  const first = await world.start();
  const issue = await assignIssue(forge);
  await Promise.all([hold.reached, model.waitAtGate("at-work")]);
  await first.kill();
  hold.remove();
  await until("the receipt", async () => (receipts(forge, issue).length === 1 ? true : null));
  model.open("at-work");

  const second = await world.start();
  await second.finished(2);
  expectOneOfEach(world, issue);
  expect(posted(world, comments)).toBe(1);
});

test.each([
  ["create pull request", /\/pulls$/],
  ["the receipt", /\/issues\/1\/comments$/],
])("a lost answer to %s makes no second one", async (_what, path) => {
  await using world = await openWorld({ script: devScript(onePiece("first")) });
  const lost = world.forge.faults.dropReply({ method: "POST", path });
  const service = await world.start();
  const issue = await assignIssue(world.forge);
  const [run] = await service.finished(1);
  expect(run).toMatchObject({ outcome: "succeeded", pull_request: 2 });
  expect(lost.hits).toBe(1);
  expect(await service.idle()).toHaveLength(1);
  expectOneOfEach(world, issue);
  expect(posted(world, path)).toBe(1);
});

describe("SIGTERM while an agent works", () => {
  test("stops it after the grace, and the next start goes on in its session", async () => {
    await using world = await openWorld({ script: cutOff, config: { limits: { shutdown_grace_ms: 300 } } });
    const { forge, model } = world;
    const first = await world.start();
    const issue = await assignIssue(forge);
    const { conversation } = await model.waitAtGate("at-work");
    const tree = await processTree(first.pid);
    expect(await first.stop()).toBe(0);
    await untilGone(tree);
    expect(forge.pullRequests(repository)).toEqual([]);

    const second = await world.start();
    const [cut, again] = await second.finished(2);
    expect(cut?.failure).toStartWith("it was interrupted");
    expect(again).toMatchObject({ outcome: "succeeded", session: conversation, commits: 2 });
    expect(again?.start).toStartWith("resumed");
    expect(await second.idle()).toHaveLength(2);
    expectOneOfEach(world, issue);
  });

  test("lets it finish within the grace, pull request included, and takes nothing new", async () => {
    await using world = await openWorld({ script: cutOff, config: { limits: { shutdown_grace_ms: 60_000 } } });
    const { forge, model, url } = world;
    const service = await world.start();
    const issue = await assignIssue(forge);
    await model.waitAtGate("at-work");
    const stopped = service.stop();
    await until("health to say so", async () => ((await fetch(`${url}/health`)).status === 503 ? true : null));
    const late = await assignIssue(forge, "Too late");
    await forge.settled();
    expect(forge.deliveries().filter(({ status }) => status === 503).length).toBeGreaterThan(0);
    model.open("at-work");
    expect(await stopped).toBe(0);
    expect(forge.pullRequests(repository)).toHaveLength(1);
    const next = await world.start();
    expect((await next.finished(1)).map(({ outcome, attempt }) => [outcome, attempt])).toEqual([["succeeded", 1]]);
    expectOneOfEach(world, issue);
    expect(receipts(forge, late)).toEqual([]);
  });
});
