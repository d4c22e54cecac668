import { expect, setDefaultTimeout, test } from "bun:test";
import type { ModelRequest } from "@claude-hooks/model-sim";
import { deliver } from "./deliver.ts";
import {
  assignIssue,
  commitOf,
  devScript,
  implement,
  implemented,
  more,
  promptOf,
  receipts,
  says,
  timesIn,
  told,
  whenAsked,
  widgets,
} from "./play.ts";
import type { ServiceProcess } from "./service-process.ts";
import { testTimeoutMs, until } from "./until.ts";
import { openWorld, repository, type World } from "./world.ts";

setDefaultTimeout(testTimeoutMs);

const reactionsTo = (world: World, comment: number) =>
  world.forge
    .as("alice")
    .request<{ content: string; user: { login: string } }[] | null>(
      "GET",
      `/repos/acme/widgets/issues/comments/${comment}/reactions`,
    )
    .then((found) => (found ?? []).map(({ content, user }) => `${content} by ${user.login}`));
const comment = (world: World, number: number, body: string, who = "alice") =>
  world.forge.as(who).comment({ ...widgets, number, body });
const toldTimes = (service: ServiceProcess): number => timesIn(service.log, "the working agent was told of what came");

test("a resumed agent is told exactly what it has not heard, in order, with who said it and what they may do", async () => {
  await using world = await openWorld({
    script: devScript(implement, whenAsked),
    users: ["bob", "carol"],
    collaborators: { bob: "write", carol: "read" },
  });
  const { forge, model } = world;
  const service = await implemented(world);
  const inOrder: (() => Promise<unknown>)[] = [
    () => comment(world, 1, "carol-asks-for-pink", "carol"),
    () => forge.as("bob").editIssue({ ...widgets, number: 1, body: "bob-rewrote-the-description" }),
    () => forge.as("bob").push({ ...widgets, branch: "dev/1", message: "Tidy", files: { "t.txt": "t\n" } }),
    () => deliver(world, "action_run_failure", "action_run_failure", ciRun(world)),
  ];
  const decided = () => timesIn(service.log, "event decided");
  for (const act of inOrder) {
    const before = decided();
    await act();
    await until("it to be decided", async () => (decided() > before ? true : null));
  }
  expect(await service.idle()).toHaveLength(1);
  await comment(world, 1, "@dev-bot alice-wants-it-done");
  const [first, second] = await service.finished(2);
  expect(second).toMatchObject({ outcome: "succeeded", session: first?.session ?? "" });

  const requests = model.requests();
  const prompt = promptOf(requests.findLast(({ prompt: text }) => text.includes("alice-wants-it-done")));
  const headings = [...prompt.matchAll(/^Event \d+: (\S+), by (\S+ \(\w+\))/gm)].map(
    ([, kind, who]) => `${kind} ${who}`,
  );
  expect(headings.toSorted()).toEqual(
    [
      "comment.created carol (outsider)",
      "issue.edited bob (writer)",
      "push bob (writer)",
      "ci.completed dev-bot (writer)",
      "comment.created alice (maintainer)",
    ].toSorted(),
  );
  expect(headings.at(-1)).toBe("comment.created alice (maintainer)");
  for (const words of ["carol-asks-for-pink", "bob-rewrote-the-description"]) expect(timesIn(prompt, words)).toBe(1);
  expect(prompt).toContain("Its author has no write access here");

  await comment(world, 1, "@dev-bot and-nothing-else");
  await service.finished(3);
  const last = promptOf(model.requests().findLast(({ prompt: text }) => text.includes("and-nothing-else")));
  expect([...last.matchAll(/^Event \d+/gm)]).toHaveLength(1);
  expect(model.unexpected()).toEqual([]);
});

const ciRun = ({ forge }: World) => ({
  action: "failure",
  run: {
    id: 70,
    repository: { id: forge.repositoryId(repository), full_name: repository },
    workflow_id: "ci.yaml",
    prettyref: "dev/1",
    commit_sha: forge.branchHead(repository, "dev/1"),
    status: "failure",
    stopped: "2026-07-01T10:00:00Z",
    trigger_user: { id: 3, login: "dev-bot" },
  },
});

test("a resumed session begins with the bytes that it began with before", async () => {
  await using world = await openWorld({ script: devScript(implement, whenAsked) });
  const service = await implemented(world);
  await comment(world, 2, "@dev-bot once more");
  await service.finished(2);
  const requests = world.model.requests();
  const resumed = requests.find(({ prompt }) => prompt.includes("once more"));
  expect(resumed?.prefixShare).toBeGreaterThan(0.95);
  const system = (request: ModelRequest | undefined) =>
    JSON.stringify((request?.body as { system?: unknown } | undefined)?.system);
  expect(system(resumed)).toBe(system(requests[0]));
});

test("a comment that comes while a tool runs joins the turn, and one that comes while it writes begins another; both get an 👀", async () => {
  const script = devScript(
    {
      when: { prompt: "Implement issue #1" },
      steps: [commitOf("a.txt", "Add a", { gate: "tool" }), says("Added a.", { gate: "words" })],
    },
    { when: { prompt: "while-it-writes" }, steps: [commitOf("b.txt", "Add b"), says("Added b, too.")] },
  );
  await using world = await openWorld({ script });
  const { forge, model } = world;
  const service = await world.start();
  await assignIssue(forge);
  await model.waitAtGate("tool");
  const joined = await comment(world, 1, "while-it-works");
  await until("it to be told", async () => (toldTimes(service) === 1 ? true : null));
  model.open("tool");
  await model.waitAtGate("words");
  const next = await comment(world, 1, "while-it-writes");
  await until("it to be told", async () => (toldTimes(service) === 2 ? true : null));
  model.open("words");
  const [run] = await service.finished(1);
  expect(await service.idle()).toHaveLength(1);
  expect(run).toMatchObject({ outcome: "succeeded", commits: 2, summary: "Added b, too." });
  const last = told(model.requests().at(-1)!);
  expect([timesIn(last, "while-it-works"), timesIn(last, "while-it-writes")]).toEqual([1, 1]);
  for (const { id } of [joined, next]) expect(await reactionsTo(world, id)).toEqual(["eyes by dev-bot"]);
  expect(model.unexpected()).toEqual([]);
});

test("an outsider's comment interrupts nobody and starts nothing", async () => {
  const script = devScript({
    when: { prompt: "Implement issue #1" },
    steps: [commitOf("a.txt", "Add a", { gate: "tool" }), says("Added a.")],
  });
  await using world = await openWorld({ script, users: ["mallory"], collaborators: { mallory: "read" } });
  const { model } = world;
  const service = await world.start();
  await assignIssue(world.forge);
  await model.waitAtGate("tool");
  const { id } = await comment(world, 1, "@dev-bot delete-everything", "mallory");
  const event = await service.decided(
    "acme/widgets#1",
    ({ kind, actor }) => kind === "comment.created" && actor === "mallory",
  );
  expect(event.decisions.find(({ flow }) => flow === "inbox of dev")?.why).toEndWith("as from mallory (outsider)");
  model.open("tool");
  await service.finished(1);
  expect(await service.idle()).toHaveLength(1);
  expect(model.requests().map(told).join("")).not.toContain("delete-everything");
  expect(await reactionsTo(world, id)).toEqual([]);
});

test("a comment that lands while the next prompt is built is told once, in that run or the next", async () => {
  await using world = await openWorld({ script: devScript(implement, whenAsked) });
  const { forge, model } = world;
  const service = await implemented(world);
  const hold = forge.faults.hold({ method: "GET", path: "info/refs", times: 1 });
  await comment(world, 2, "@dev-bot before-the-prompt");
  await hold.reached;
  await comment(world, 2, "@dev-bot into-the-prompt");
  await service.decided("acme/widgets#1", ({ kind, decisions }) => kind === "comment.created" && decisions.length > 0);
  hold.remove();
  await until("both to be told", async () => {
    const all = model.requests().map(told).join("");
    return ["before-the-prompt", "into-the-prompt"].every((words) => all.includes(words)) ? true : null;
  });
  await service.idle();
  const last = told(model.requests().at(-1)!);
  expect([timesIn(last, "before-the-prompt"), timesIn(last, "into-the-prompt")]).toEqual([1, 1]);
});

test("a comment is told again to the next run where the service was killed before a turn took it in", async () => {
  const script = devScript(
    implement,
    { when: { prompt: "lost-in-the-crash" }, steps: [{ tools: [more], gate: "held" }, says("Logged.")] },
    whenAsked,
  );
  await using world = await openWorld({ script });
  const { model } = world;
  const first = await implemented(world);
  await comment(world, 2, "@dev-bot lost-in-the-crash");
  await model.waitAtGate("held");
  await first.kill();
  model.open("held");
  const second = await world.start();
  const runs = await second.finished(3);
  expect(runs.map(({ outcome }) => outcome)).toEqual(["succeeded", "failed", "succeeded"]);
  await comment(world, 2, "@dev-bot after-the-crash");
  await second.finished(4);
  const prompts = [...new Set(model.requests().map(promptOf))];
  const after = prompts.filter((prompt) => prompt.includes("after-the-crash"));
  expect(after.filter((prompt) => prompt.includes("lost-in-the-crash"))).toEqual([]);
  expect(prompts.filter((prompt) => prompt.includes("lost-in-the-crash"))).not.toEqual([]);
});

test("five comments and a review on the pull request are one run", async () => {
  await using world = await openWorld({
    script: devScript(implement, whenAsked),
    config: { limits: { shutdown_grace_ms: 2_000, gather_ms: 1_500, gather_max_ms: 20_000 } },
  });
  const { forge, model } = world;
  const service = await implemented(world);
  const words = ["one-1a", "two-2b", "three-3c", "four-4d", "five-5e"];
  for (const word of words) await comment(world, 2, `please ${word}`);
  await forge.as("alice").review({ ...widgets, number: 2, event: "REQUEST_CHANGES", body: "six-6f" });
  const runs = await service.finished(2);
  expect(await service.idle()).toHaveLength(2);
  expect(runs[1]).toMatchObject({ outcome: "succeeded", skill: "follow-up" });
  const last = told(model.requests().at(-1)!);
  for (const word of [...words, "six-6f"]) expect([word, timesIn(last, word)]).toEqual([word, 1]);
});

test("an agent whose session expired is begun afresh from what is left, and everybody is told of what", async () => {
  await using world = await openWorld({
    script: devScript(implement, whenAsked),
    config: { session_max_age_ms: 1 },
    users: ["carol"],
    collaborators: { carol: "read" },
  });
  const { forge, model } = world;
  const service = await implemented(world);
  await comment(world, 1, "alice-said-it-before");
  await comment(world, 1, "carol-said-it-before", "carol");
  await forge.settled();
  await comment(world, 1, "@dev-bot and-now-this");
  const [first, second] = await service.finished(2);
  expect(second?.session).not.toBe(first?.session ?? "");
  expect(second?.start).toStartWith("started fresh: the session expired (");
  expect(second?.start).toEndWith("; rebuilt from the diff and the last summary");
  expect(receipts(forge, 1)[0]?.body).toContain(`- Session: ${second?.start}`);
  const prompt = promptOf(model.requests().at(-1));
  expect(prompt).toContain("your memory of it is lost. What follows is a reconstruction");
  expect(prompt).toContain("Added a.");
  expect(prompt).toContain("Add a");
  expect(prompt).toContain("+++ b/a.txt");
  for (const words of ["alice-said-it-before", "carol-said-it-before", "and-now-this"])
    expect([words, timesIn(prompt, words)]).toEqual([words, 1]);

  await comment(world, 1, "@dev-bot and-then-that");
  const [, , third] = await service.finished(3);
  expect(third?.start).toEndWith("; rebuilt from 3 comments, the diff and the last summary");
  const again = promptOf(model.requests().at(-1));
  expect(again).toContain("carol (outsider)");
  for (const words of ["alice-said-it-before", "carol-said-it-before", "and-now-this", "and-then-that"])
    expect([words, timesIn(again, words)]).toEqual([words, 1]);
});
