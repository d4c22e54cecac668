import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Turn } from "@claude-hooks/model-sim";
import { assignIssue, commitOf, devScript, receipts, says, sh, told, widgets } from "./play.ts";
import type { ServiceProcess } from "./service-process.ts";
import { testTimeoutMs, until } from "./until.ts";
import { openWorld, repository, type World } from "./world.ts";

setDefaultTimeout(testTimeoutMs);

const more = sh("echo more >> log.txt && git add -A && git commit -q -m 'Log more'");
const whenAsked: Turn = { repeat: true, steps: [{ tools: [more] }, says("Logged.")] };
const comment = (world: World, number: number, body: string, who = "alice") =>
  world.forge.as(who).comment({ ...widgets, number, body });
const reactionsTo = (world: World, id: number) =>
  world.forge
    .as("alice")
    .request<{ content: string; user: { login: string } }[] | null>(
      "GET",
      `/repos/acme/widgets/issues/comments/${id}/reactions`,
    )
    .then((found) => (found ?? []).map(({ content, user }) => `${content} by ${user.login}`));
const answered = (world: World, id: number, reaction: string) =>
  until(`a reaction to comment ${id}`, async () => ((await reactionsTo(world, id)).includes(reaction) ? true : null));
const decisionOn = async (service: ServiceProcess, who: string, command: string) => {
  const event = await service.decided(
    "acme/widgets#1",
    ({ kind, actor, decisions }) =>
      kind === "comment.created" && actor === who && decisions.some(({ flow }) => flow === `command ${command}`),
  );
  return event.decisions.find(({ flow }) => flow === `command ${command}`);
};

describe("/stop", () => {
  // The agent sits in a tool that would take an hour: only an interruption ends it.
  const atWork: Turn = {
    when: { prompt: "Implement issue #1" },
    steps: [commitOf("a.txt", "Add a"), { tools: [sh("touch /repo/.sitting; sleep 3600")] }, says("Never said.")],
  };

  async function working(world: World): Promise<ServiceProcess> {
    const service = await world.start();
    await assignIssue(world.forge, "Add a");
    await world.model.waitForRequest(({ step, outcome }) => step === 2 && outcome === "answered");
    return service;
  }

  test("interrupts the agent, keeps its session, and says who did it", async () => {
    await using world = await openWorld({ script: devScript(atWork, whenAsked) });
    const { forge, model } = world;
    const service = await working(world);
    const { id } = await comment(world, 1, "/stop");
    const [stopped] = await service.finished(1);
    expect(await service.idle()).toHaveLength(1);
    expect(stopped).toMatchObject({ outcome: "cancelled", failure: "it was called off: alice stopped it with /stop" });
    expect(receipts(forge, 1)[0]?.body).toContain("**dev** stopped: it was called off: alice stopped it with /stop.");
    expect(forge.pullRequests(repository)).toEqual([]);
    await answered(world, id, "+1 by claude-hooks");
    expect(await decisionOn(service, "alice", "/stop")).toMatchObject({ matched: true, why: "stopped: dev" });

    await comment(world, 1, "@dev-bot go-on-with-it");
    const [, second] = await service.finished(2);
    expect(second).toMatchObject({ outcome: "succeeded", session: stopped?.session ?? "none" });
    expect(second?.start).toStartWith("resumed");
    const prompt = model.requests().find(({ prompt: text }) => text.includes("go-on-with-it"))?.prompt ?? "";
    expect(prompt).toContain("issue.assigned, by alice");
    expect(prompt).not.toContain("/stop");
  });

  test("ends a run whose checkout is still being made, too", async () => {
    await using world = await openWorld({
      script: devScript(whenAsked),
      repository: { setup: "echo sitting; sleep 3600" },
    });
    const service = await world.start();
    await assignIssue(world.forge, "Add a");
    await until("the run to begin", async () => ((await service.status()).running === 1 ? true : null));
    const { id } = await comment(world, 1, "/stop");
    const [stopped] = await service.finished(1);
    expect(stopped?.failure).toBe("it was called off: alice stopped it with /stop");
    await answered(world, id, "+1 by claude-hooks");
    expect(world.model.requests()).toEqual([]);
  });

  test("stays stopped where the service is killed at the same moment", async () => {
    await using world = await openWorld({ script: devScript(atWork, whenAsked) });
    const service = await working(world);
    await comment(world, 1, "/stop");
    await decisionOn(service, "alice", "/stop");
    await service.kill();
    const again = await world.start();
    const [stopped] = await again.finished(1);
    expect(await again.idle()).toHaveLength(1);
    expect(stopped?.failure).toBe("it was called off: alice stopped it with /stop");
  });

  test("of somebody without write access, or in a quote, does nothing, and the ledger says why", async () => {
    const gated: Turn = { steps: [commitOf("a.txt", "Add a", { gate: "at-work" }), says("Added a.")] };
    await using world = await openWorld({
      script: devScript(gated),
      users: ["mallory"],
      collaborators: { mallory: "read" },
    });
    const { model } = world;
    const service = await world.start();
    await assignIssue(world.forge, "Add a");
    await model.waitAtGate("at-work");
    const { id } = await comment(world, 1, "/stop", "mallory");
    expect(await decisionOn(service, "mallory", "/stop")).toMatchObject({
      matched: false,
      why: "mallory may not command: write access is needed, and mallory has read",
    });
    await comment(world, 1, "> /stop\n\nNo, do not.");
    await service.decided("acme/widgets#1", ({ kind, actor }) => kind === "comment.created" && actor === "alice");
    model.open("at-work");
    const [run] = await service.finished(1);
    expect(run).toMatchObject({ outcome: "succeeded" });
    expect(await reactionsTo(world, id)).toEqual([]);
  });

  test("with nothing to stop is refused with a reason, once", async () => {
    await using world = await openWorld({ script: devScript(whenAsked) });
    const { forge } = world;
    const service = await world.start();
    await assignIssue(forge, "Add a");
    await service.finished(1);
    const { id, html_url: url } = await comment(world, 2, "/stop");
    await answered(world, id, "confused by claude-hooks");
    const reason = "there is nothing to stop: no agent works on this, and none is about to";
    expect(await decisionOn(service, "alice", "/stop")).toMatchObject({ matched: false, why: `refused: ${reason}` });
    const answers = await until("the answer", async () => {
      const found = receipts(forge, 2).filter(({ body }) => body.includes(reason));
      return found.length > 0 ? found : null;
    });
    expect(answers).toHaveLength(1);
    expect(answers[0]?.body).toContain(url);
    expect(await service.idle()).toHaveLength(1);
  });
});

describe("/reset", () => {
  test("drops the session at once, and the next run's receipt says so", async () => {
    await using world = await openWorld({ script: devScript(whenAsked) });
    const { forge, model } = world;
    const service = await world.start();
    await assignIssue(forge, "Add a");
    const [first] = await service.finished(1);
    const { id } = await comment(world, 2, "/reset");
    await answered(world, id, "+1 by claude-hooks");
    expect(await decisionOn(service, "alice", "/reset")).toMatchObject({
      matched: true,
      why: "dropped the session of dev: the next run begins afresh",
    });
    expect(await service.idle()).toHaveLength(1);

    await comment(world, 1, "@dev-bot from-the-beginning");
    const [, second] = await service.finished(2);
    expect(second).toMatchObject({ outcome: "succeeded", start: "started fresh: alice asked for it with /reset" });
    expect(second?.session).not.toBe(first?.session ?? "none");
    expect(receipts(forge, 1)[0]?.body).toContain("- Session: started fresh: alice asked for it with /reset");
    expect(told(model.requests().at(-1)!)).not.toContain("Implement issue #1");

    await comment(world, 1, "@dev-bot and-on");
    const [, , third] = await service.finished(3);
    expect(third).toMatchObject({ session: second?.session ?? "none" });
    expect(third?.start).toStartWith("resumed");
  });

  test("while the agent works lets it finish, and makes the next run begin afresh all the same", async () => {
    const gated: Turn = {
      when: { prompt: "Implement issue #1" },
      steps: [commitOf("a.txt", "Add a", { gate: "at-work" }), says("Added a.")],
    };
    await using world = await openWorld({ script: devScript(gated, whenAsked) });
    const { forge, model } = world;
    const service = await world.start();
    await assignIssue(forge, "Add a");
    await model.waitAtGate("at-work");
    const { id } = await comment(world, 1, "/reset");
    await answered(world, id, "+1 by claude-hooks");
    model.open("at-work");
    const [first] = await service.finished(1);
    expect(first).toMatchObject({ outcome: "succeeded" });
    await comment(world, 2, "@dev-bot again");
    const [, second] = await service.finished(2);
    expect(second?.start).toBe("started fresh: alice asked for it with /reset");
    expect(second?.session).not.toBe(first?.session ?? "none");
  });
});
