import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { manualClock } from "../infrastructure/clock.ts";
import type { AgentMessage } from "./agent-runtime.ts";
import { claudeEnvironment, claudeRuntime } from "./claude.ts";
import { bash, type Laid, layOut, resumeOf, runReal } from "./testing/places.ts";

// The real binary starts in half a second, on a busy machine in several.
setDefaultTimeout(60_000);

const open: Laid[] = [];
afterEach(async () => {
  for (const laid of open.splice(0)) await laid[Symbol.asyncDispose]();
});
async function lay(...parameters: Parameters<typeof layOut>): Promise<Laid> {
  const laid = await layOut(...parameters);
  open.push(laid);
  return laid;
}

const working = [
  { steps: [{ text: "I write it.", tools: bash("echo made > made.txt; cat made.txt") }, { text: "It is made." }] },
  { when: { prompt: "RESUMED" }, steps: [{ text: "I remember." }] },
];

describe("a run that fails", () => {
  test("model answers 401: one request, and the run says what to check", async () => {
    const { place, model } = await lay([{ steps: [{ fault: { status: 401 } }] }]);
    const { outcome } = await runReal(place);
    expect(outcome).toMatchObject({
      kind: "failed",
      failure: { kind: "model-unauthorized", detail: expect.stringContaining("401") },
    });
    expect(model.requests()).toHaveLength(1);
  });

  const refusals = [
    [529, {}, "model-unavailable"],
    [500, {}, "model-unavailable"],
    [429, { "retry-after": "3000" }, "model-limited"],
    [403, {}, "model-unauthorized"],
    [404, {}, "model-refused"],
    [413, {}, "model-refused"],
  ] as const;
  test.each(refusals)("model answers %i %j: %s", async (status, headers, kind) => {
    const { place } = await lay([{ steps: [{ fault: { status, headers: { ...headers } } }] }]);
    const env = { ...place.env, CLAUDE_CODE_MAX_RETRIES: "0" };
    expect((await runReal({ ...place, env })).outcome).toMatchObject({ kind: "failed", failure: { kind } });
  });

  test("a subscription's usage limit says until when", async () => {
    const resetsAt = Math.floor(Date.now() / 1000) + 3_600;
    const headers = {
      "retry-after": "3600",
      "anthropic-ratelimit-unified-status": "rejected",
      "anthropic-ratelimit-unified-reset": String(resetsAt),
      "anthropic-ratelimit-unified-representative-claim": "five_hour",
    };
    const { place, root } = await lay([{ steps: [{ fault: { status: 429, headers } }] }]);
    const home = join(root, "home");
    const oauth = claudeEnvironment({ home, brokerSocket: join(root, "model.sock"), credential: "oauth" });
    const { outcome } = await runReal({ ...place, env: { ...oauth, PATH: "/usr/bin:/bin" } });
    expect(outcome).toMatchObject({ kind: "failed", failure: { kind: "model-limited", untilMs: resetsAt * 1000 } });
  });

  test("a prompt for more turns than it may take: the turn limit", async () => {
    const { place } = await lay(working);
    const live = claudeRuntime(place).start({
      model: "m",
      systemPrompt: "AGENT-TYPE: dev",
      tools: ["Bash"],
      maxTurns: 1,
      resume: null,
      onRaw: () => {},
    });
    const ends: AgentMessage[] = [];
    live.push("FRESH");
    for await (const message of live.messages) {
      if (message.kind !== "result") continue;
      ends.push(message);
      live.end();
    }
    await live[Symbol.asyncDispose]();
    expect(ends).toMatchObject([{ ok: false, reason: "max_turns" }]);
  });

  test("killed from outside: crashed, with how", async () => {
    const { place, model, processes } = await lay([{ steps: [{ gate: "held", text: "never" }] }]);
    const run = runReal(place);
    await model.waitAtGate("held");
    processes[0]!.kill("SIGKILL");
    const { outcome } = await run;
    expect(outcome).toMatchObject({
      kind: "failed",
      failure: { kind: "agent-crashed", detail: expect.stringContaining("SIGKILL") },
      session: expect.any(String),
    });
  });

  test("a binary that is not there: crashed, with where it was looked for", async () => {
    const { place } = await lay(working);
    const { outcome } = await runReal({ ...place, executable: "/nowhere/claude" });
    expect(outcome).toMatchObject({
      failure: { kind: "agent-crashed", detail: expect.stringContaining("/nowhere/claude") },
      session: null,
    });
  });

  test("silence of the model: stalled, and the process is gone", async () => {
    const { place, model, processes } = await lay([{ steps: [{ fault: "silence" }] }]);
    const timers = manualClock();
    const run = runReal(place, { timers });
    await model.waitForRequest(() => true);
    await timers.advance(300_000);
    expect((await run).outcome).toMatchObject({ kind: "failed", failure: { kind: "agent-stalled", afterMs: 300_000 } });
    expect(processes[0]!.signalCode).toBe("SIGKILL");
  });

  test("a tool that never ends: interrupted at the deadline, and its session can be resumed", async () => {
    const { place, cwd } = await lay([
      { steps: [{ tools: bash("touch began; tail -f /dev/null") }, { text: "never" }] },
      { when: { prompt: "RESUMED" }, steps: [{ text: "I go on." }] },
    ]);
    const timers = manualClock();
    const bounds = { deadlineMs: 100_000, stallMs: 300_000, graceMs: 5_000 };
    const run = runReal(place, { timers, bounds });
    while (!existsSync(join(cwd, "began"))) await new Promise((resolve) => setTimeout(resolve, 10));
    await timers.advance(100_000);
    const { outcome } = await run;
    expect(outcome).toMatchObject({ kind: "failed", failure: { kind: "agent-timeout", afterMs: 100_000 } });
    const again = await runReal(place, { choice: resumeOf(outcome.session!) });
    expect(again.outcome).toMatchObject({
      kind: "completed",
      session: outcome.session,
      report: { summary: "I go on." },
    });
  });

  test("the service stops: interrupted", async () => {
    const { place, model } = await lay([{ steps: [{ gate: "held", text: "never" }] }]);
    const stopping = new AbortController();
    const run = runReal(place, { signal: stopping.signal });
    await model.waitAtGate("held");
    stopping.abort();
    expect((await run).outcome).toMatchObject({ kind: "failed", failure: { kind: "interrupted" } });
  });
});
