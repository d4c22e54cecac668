import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHmac } from "node:crypto";
import type { ExplainedEvent } from "@claude-hooks/api";
import type { Forge } from "@claude-hooks/forge-sim";
import { rejection } from "../support/rejection.ts";
import { assignIssue, devScript, onePiece, receipts, widgets } from "./play.ts";
import type { ServiceProcess } from "./service-process.ts";
import { testTimeoutMs, until } from "./until.ts";
import { openWorld, repository, secrets, type World, type WorldOptions } from "./world.ts";

setDefaultTimeout(testTimeoutMs);

const open = (options: Partial<WorldOptions> = {}): Promise<World> =>
  openWorld({ script: devScript(onePiece("first")), ...options });

interface Posted {
  uuid: string;
  body: Uint8Array<ArrayBuffer>;
  signature: string;
}

/** What the forge sent already, sent once more under this id and with this signature. */
async function post({ forge, hookUrl }: World, eventType: string, change: (sent: Posted) => Posted) {
  const sent = forge.deliveries().find((delivery) => delivery.eventType === eventType);
  if (sent === undefined) throw new Error(`the forge sent no ${eventType}`);
  const body = new Uint8Array(sent.body);
  const hmac = createHmac("sha256", secrets.hook).update(body).digest("hex");
  const { uuid, signature, body: bytes } = change({ uuid: sent.uuid, body, signature: hmac });
  const response = await fetch(hookUrl, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-forgejo-delivery": uuid,
      "x-forgejo-event": sent.event,
      "x-forgejo-event-type": eventType,
      "x-forgejo-signature": signature,
      "x-hub-signature-256": `sha256=${signature}`,
    },
    body: bytes,
  });
  return { status: response.status, answer: (await response.json()) as { delivery?: string; duplicate?: boolean } };
}

const newUuid = "5f0c2f6e-6c0f-4c55-8f0c-1d1f3b1f9d42";

test("a delivery with a wrong signature is refused and leaves nothing behind", async () => {
  await using world = await open();
  await world.forge.as("alice").createIssue({ ...widgets, title: "One", assignees: ["dev-bot"] });
  await world.forge.settled();
  const service = await world.start();

  const wrong = await post(world, "issue_assign", (sent) => ({ ...sent, uuid: newUuid, signature: "0".repeat(64) }));
  expect(wrong.status).toBe(401);
  const missing = await post(world, "issue_assign", (sent) => ({ ...sent, uuid: newUuid, signature: "" }));
  expect(missing.status).toBe(401);
  const forged = await post(world, "issue_assign", (sent) => {
    const text = new TextDecoder().decode(sent.body).replace('"title": "One"', '"title": "Two"');
    return { ...sent, uuid: newUuid, body: new TextEncoder().encode(text) };
  });
  expect(forged.status).toBe(401);
  expect(String(await rejection(service.explain(newUuid)))).toContain("nothing on record answers");
  expect(String(await rejection(service.explain("acme/widgets#1")))).toContain("nothing on record answers");
  expect(await service.metrics()).toContain('claude_deliveries_total{result="refused"} 3');

  // The same bytes, signed rightly: it was the signature, and nothing else.
  expect((await post(world, "issue_assign", (sent) => ({ ...sent, uuid: newUuid }))).status).toBe(202);
  await service.finished(1);
});

test("the same delivery again is told to be one, and runs nothing", async () => {
  await using world = await open();
  const service = await world.start();
  await assignIssue(world.forge);
  await world.forge.settled();
  const again = await Promise.all([1, 2, 3].map(() => post(world, "issue_assign", (sent) => sent)));
  expect(again.map(({ status, answer }) => ({ status, duplicate: answer.duplicate }))).toEqual(
    [1, 2, 3].map(() => ({ status: 202, duplicate: true })),
  );
  expect(new Set(again.map(({ answer }) => answer.delivery)).size).toBe(1);
  await service.finished(1);
  expect(await service.idle()).toHaveLength(1);
});

test("replays under new delivery ids are stored, and make no second event and no second run", async () => {
  await using world = await open();
  const { forge } = world;
  const service = await world.start();
  await assignIssue(forge);
  const { number } = await forge.as("alice").createIssue({ ...widgets, title: "Two" });
  await forge.as("alice").comment({ ...widgets, number, body: "@dev-bot do it" });
  await service.finished(2);
  await forge.settled();
  const sent = forge.deliveries().filter(({ eventType }) => /^issue_(assign|comment)$/.test(eventType));
  await workedOff(service, forge.deliveries());
  const countOf = async () => {
    const explained = await Promise.all([1, number].map((n) => service.explain(`acme/widgets#${n}`)));
    return explained.map(({ events }) => events.length);
  };
  const before = await countOf();

  const replays = sent.map(({ uuid }) => forge.redeliver(uuid));
  await forge.settled();
  expect(new Set([...sent, ...replays].map(({ uuid }) => uuid)).size).toBe(2 * sent.length);
  expect(replays.map(({ status }) => status)).toEqual(replays.map(() => 202));
  await workedOff(service, replays);
  for (const { uuid } of replays) expect((await service.explain(uuid)).events).toEqual([]);
  expect(await countOf()).toEqual(before);
  expect(await service.idle()).toHaveLength(2);
  expect(forge.pullRequests(repository)).toHaveLength(2);
});

async function workedOff(service: ServiceProcess, sent: readonly { uuid: string }[]): Promise<void> {
  await until("every delivery to be worked off", async () => {
    const explained = await Promise.all(sent.map(({ uuid }) => service.explain(uuid)));
    const stored = explained.flatMap(({ deliveries }) => deliveries);
    return stored.length === sent.length && stored.every(({ state }) => state !== "received") ? true : null;
  });
}

describe("a mention", () => {
  let world: World;
  let service: ServiceProcess;

  beforeAll(async () => {
    const collaborators = { bob: "write", rita: "read" } as const;
    world = await open({ users: ["bob", "rita", "stan"], collaborators });
    service = await world.start();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  async function comment(who: string, body: string): Promise<ExplainedEvent> {
    const { forge } = world;
    const { number } = await forge.as("alice").createIssue({ ...widgets, title: "One" });
    await forge.as(who).comment({ ...widgets, number, body });
    return await service.decided(`acme/widgets#${number}`, ({ kind }) => kind === "comment.created");
  }

  test.each([
    ["in a quote", "alice", "> @dev-bot do it\n\nI would not.", "no agent is mentioned outside quotes and code"],
    ["in a code block", "alice", "```\n@dev-bot do it\n```", "no agent is mentioned outside quotes and code"],
    ["in a code span", "alice", "write `@dev-bot do it`", "no agent is mentioned outside quotes and code"],
    ["by a reader", "rita", "@dev-bot do it", "rita has read access to acme/widgets; write is needed"],
    ["by a stranger", "stan", "@dev-bot do it", "stan has read access to acme/widgets; write is needed"],
    ["by an agent", "dev-bot", "@dev-bot do it", "dev-bot is one of our own users, whose doings start no flow"],
  ])("%s starts no run, and the ledger says why", async (_where, who, body, why) => {
    const event = await comment(who, body);
    expect(event.decisions.find(({ flow }) => flow === "Answer a mention")).toMatchObject({ matched: false, why });
    await service.idle();
    expect((await service.explain(event.thread ?? "")).runs).toEqual([]);
  });

  test("by a writer starts one", async () => {
    const event = await comment("bob", "@dev-bot do it");
    await service.idle();
    const { runs } = await service.explain(event.thread ?? "");
    expect(runs.map(({ outcome }) => outcome)).toEqual(["succeeded"]);
    expect(world.model.unexpected()).toEqual([]);
  });
});

test("whose permission cannot be asked counts as nobody, and the ledger says so", async () => {
  await using world = await open();
  const { forge } = world;
  const service = await world.start();
  const { number } = await forge.as("alice").createIssue({ ...widgets, title: "One" });
  const down = forge.faults.fail({ method: "GET", path: "/permission", status: 500, times: 50 });
  await forge.as("alice").comment({ ...widgets, number, body: "@dev-bot do it" });
  const event = await service.decided("acme/widgets#1", ({ kind }) => kind === "comment.created");
  expect(down.hits).toBeGreaterThan(0);
  const decision = event.decisions.find(({ flow }) => flow === "Answer a mention");
  expect(decision?.matched).toBe(false);
  expect(decision?.why).toStartWith("the permission of alice could not be asked: ");
  expect(decision?.why).toContain("500");
  expect(await service.idle()).toEqual([]);
});

test("an issue that is created assigned, told of as assigned before opened, runs once", async () => {
  await using world = await open();
  const { forge } = world;
  const service = await world.start();
  await forge.as("alice").createIssue({ ...widgets, title: "One", assignees: ["dev-bot"] });
  await service.decided("acme/widgets#1", ({ kind }) => kind === "issue.opened");
  await service.decided("acme/widgets#1", ({ kind }) => kind === "issue.assigned");
  const [run] = await service.finished(1);
  expect(run).toMatchObject({ outcome: "succeeded", cause: "issue.assigned by alice" });
  expect(await service.idle()).toHaveLength(1);
  expect(typesOf(forge).slice(0, 2)).toEqual(["issue_assign", "issues"]);
});

const typesOf = (forge: Forge): string[] => forge.deliveries().map(({ eventType }) => eventType);

test("who is unassigned before the run could start is not set to work", async () => {
  const script = devScript({ when: { prompt: "issue #1 of" }, steps: [{ text: "Nothing to do.", gate: "busy" }] });
  await using world = await open({ script, config: { limits: { concurrent_runs: 1, shutdown_grace_ms: 500 } } });
  const { forge, model } = world;
  const service = await world.start();
  await assignIssue(forge, "Keeps the only place busy");
  await model.waitAtGate("busy");
  const waiting = await assignIssue(forge, "Waits");
  await until("the second task to wait", async () => ((await service.status()).queued === 1 ? true : null));
  await forge.as("alice").assign({ ...widgets, number: waiting, assignees: [] });
  await forge.settled();
  model.open("busy");
  const [, cancelled] = await service.finished(2);
  expect(cancelled).toMatchObject({
    lane: "dev:acme/widgets#2",
    outcome: "cancelled",
    failure: "it was called off: the agent was unassigned before the run started",
    turns: null,
  });
  expect(await service.idle()).toHaveLength(2);
  expect(receipts(forge, waiting)).toEqual([]);
  expect(model.unexpected()).toEqual([]);
});
