import { expect, setDefaultTimeout, test } from "bun:test";
import { assignIssue, devScript, onePiece, widgets } from "./play.ts";
import { testTimeoutMs } from "./until.ts";
import { openWorld } from "./world.ts";

setDefaultTimeout(testTimeoutMs);

test("a resumed event's input is nearly all the previous request's, and the session and its size are counted", async () => {
  const script = devScript(
    { when: { prompt: "Implement issue #1" }, ...onePiece("first") },
    { when: { prompt: "a-word-of-mine" }, repeat: true, ...onePiece("second") },
  );
  await using world = await openWorld({ script });
  const service = await world.start();
  await assignIssue(world.forge);
  await service.finished(1);
  for (const count of [2, 3]) {
    await world.forge.as("alice").comment({ ...widgets, number: 2, body: `@dev-bot a-word-of-mine ${count}` });
    await service.finished(count);
  }
  // Each run ends with a request that answers a tool; the first of the next run begins with all of it.
  const begun = world.model.requests().filter(({ kind, step }) => kind === "scripted" && step === 1);
  expect(begun).toHaveLength(3);
  for (const request of begun.slice(1)) expect(request.prefixShare).toBeGreaterThanOrEqual(0.95);
  expect(new Set(begun.map(({ conversation }) => conversation)).size).toBe(1);
  const metrics = await service.metrics();
  expect(metrics).toContain("claude_sessions_live 1\n");
  expect(metrics).toContain('claude_session_starts_total{outcome="resumed"} 2');
  expect(Number(/^claude_transcript_bytes (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(5_000);
});
