import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Model, startModel } from "@claude-hooks/model-sim";
import { type Broker, startBroker } from "../broker/client.ts";
import type { RequestReport } from "../broker/protocol.ts";
import type { LaneKey } from "../domain/ids.ts";
import { systemTimers } from "../infrastructure/clock.ts";
import { startProcess } from "../infrastructure/process.ts";
import { inside } from "../jail/inside.ts";
import type { Jail } from "../jail/jail.ts";
import type { Lane } from "../jail/lanes.ts";
import { openFolder, processesWith, testJail } from "../jail/testing/jails.ts";
import { type ClaudePlace, claudeEnvironment } from "./claude.ts";
import { agentBinary, bash, resumeOf, runReal, scriptOf } from "./testing/places.ts";

// A jail and the real binary in it take a second, on a busy machine several.
setDefaultTimeout(60_000);

const key = "sk-ant-the-operators-own-key";
const turns = [
  {
    when: { prompt: "FRESH" },
    steps: [{ tools: bash("env; cat /proc/*/environ; echo made > made.txt; pwd") }, { text: "{{lastToolResult}}" }],
  },
  { when: { prompt: "RESUMED" }, steps: [{ text: "I remember." }] },
  {
    when: { prompt: "HELD" },
    steps: [{ tools: bash("exec -a held-in-the-jail tail -f /dev/null") }, { text: "never" }],
  },
];

describe("the real agent in its jail, on the broker's socket", () => {
  const folder = openFolder();
  const reports: RequestReport[] = [];
  let model: Model;
  let broker: Broker;
  let jail: Jail;
  let lane: Lane;
  let place: ClaudePlace;

  beforeAll(async () => {
    model = await startModel({ script: scriptOf(turns), apiKey: key });
    broker = await startBroker({
      start: startProcess,
      command: [process.execPath, join(import.meta.dir, "../broker/main.ts")],
      upstream: { baseUrl: model.url, socket: null },
      credential: { kind: "api-key", value: key },
      timers: systemTimers,
      log: { warn() {}, error() {} },
    });
    broker.onRequest((report) => reports.push(report));
    jail = await testJail(folder.path, { agentBinary });
    const sockets = join(folder.path, "state", "sockets");
    lane = await jail.openLane("dev:jailed" as LaneKey, { sockets });
    await broker.open({ run: "run-1", socket: join(sockets, "model.sock"), owner: lane.identity });
    const brokerSocket = join(inside.sockets, "model.sock");
    place = {
      executable: inside.agent,
      cwd: inside.checkout,
      env: claudeEnvironment({ home: inside.home, brokerSocket, credential: "api-key" }),
      spawn: (options) => jail.spawnAgent(lane, options),
      timers: systemTimers,
    };
  });
  afterAll(async () => {
    await broker[Symbol.asyncDispose]();
    await model.close();
    folder[Symbol.dispose]();
  });

  test("works on the checkout without the key, and the broker counts what the model answered", async () => {
    const { outcome, raw } = await runReal(place);
    expect(outcome).toMatchObject({ kind: "completed", report: { turns: 2 } });
    expect(outcome.report?.summary).toContain("/repo");
    expect(readFileSync(join(lane.checkout, "made.txt"), "utf8")).toBe("made\n");
    expect(raw.join("\n")).toContain("ANTHROPIC_UNIX_SOCKET");
    expect(raw.join("\n")).not.toContain(key);
    expect(model.requests().every(({ credentials }) => credentials.apiKey === key)).toBe(true);
    expect(reports.map(({ run, status }) => [run, status])).toEqual([
      ["run-1", 200],
      ["run-1", 200],
    ]);
    const tokens = reports.map(({ usage }) => usage?.outputTokens ?? 0).reduce((sum, one) => sum + one);
    expect(outcome.report?.outputTokens).toBe(tokens);
  });

  test("is resumed from what its lane's home kept, and is begun afresh where that is gone", async () => {
    const first = await runReal(place);
    const second = await runReal(place, { choice: resumeOf(first.outcome.session!) });
    expect(second.outcome).toMatchObject({
      kind: "completed",
      session: first.outcome.session,
      report: { summary: "I remember." },
    });
    expect(existsSync(join(lane.home, ".claude", "projects"))).toBe(true);
    const lost = await runReal(place, { choice: resumeOf("11111111-1111-4111-8111-111111111111") });
    expect(lost.outcome).toMatchObject({ kind: "completed", start: { kind: "fresh", reason: "resume-failed" } });
    expect(lost.counted).toEqual(["not-found"]);
  });

  test("leaves no process behind when it is stopped in the middle of a tool", async () => {
    const stopping = new AbortController();
    const bounds = { deadlineMs: 600_000, stallMs: 300_000, graceMs: 0 };
    const run = runReal(place, { prompt: async () => "HELD", signal: stopping.signal, bounds });
    while (processesWith("held-in-the-jail\0").length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    stopping.abort();
    expect((await run).outcome).toMatchObject({ kind: "failed", failure: { kind: "interrupted" } });
    expect(processesWith("held-in-the-jail\0")).toEqual([]);
  });

  test("says what kept the jail from starting", async () => {
    const spawn: ClaudePlace["spawn"] = (options) =>
      jail.spawnAgent({ ...lane, checkout: join(folder.path, "not-there") }, options);
    const { outcome } = await runReal({ ...place, spawn });
    expect(outcome).toMatchObject({
      kind: "failed",
      failure: { kind: "jail-failed", retryable: false, detail: expect.stringContaining("not-there") },
    });
  });
});
