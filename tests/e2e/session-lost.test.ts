import { expect, setDefaultTimeout, test } from "bun:test";
import { rm } from "node:fs/promises";
import { Glob } from "bun";
import { assignIssue, devScript, onePiece, receipts, told, widgets } from "./play.ts";
import { testTimeoutMs } from "./until.ts";
import { openWorld, repository } from "./world.ts";

setDefaultTimeout(testTimeoutMs);

test("a session whose transcript is gone is begun afresh once, in the same run, and everybody is told", async () => {
  const script = devScript(
    { when: { prompt: "Implement issue #1" }, ...onePiece("first") },
    { when: { prompt: "Somebody spoke to you about #1" }, repeat: true, ...onePiece("second") },
  );
  await using world = await openWorld({ script });
  const { forge, model, stateDir } = world;
  const service = await world.start();
  const issue = await assignIssue(forge);
  const [first] = await service.finished(1);
  const transcripts = await Array.fromAsync(
    new Glob(`lanes/*/home/**/${first?.session}.jsonl`).scan({ cwd: stateDir, absolute: true, dot: true }),
  );
  expect(transcripts).toHaveLength(1);
  for (const transcript of transcripts) await rm(transcript);

  await forge.as("alice").comment({ ...widgets, number: 2, body: "@dev-bot a-word-of-mine" });
  const [, second] = await service.finished(2);
  expect(second).toMatchObject({ outcome: "succeeded", attempt: 1, commits: 1, pull_request: 2 });
  expect(second?.session).toBeString();
  expect(second?.session).not.toBe(first?.session ?? null);
  expect(second?.start).toContain("No conversation found with session ID");
  expect(await service.idle()).toHaveLength(2);
  const [receipt, ...others] = [...receipts(forge, issue), ...receipts(forge, 2)];
  expect(others).toEqual([]);
  expect(receipt?.body).toContain(`- Session: ${second?.start}`);
  expect(await service.metrics()).toContain('claude_session_resume_failures_total{reason="not-found"} 1');
  const asked = model.requests().filter(({ conversation }) => conversation === second?.session);
  expect(told(asked[0]!)).toContain("a-word-of-mine");
  expect(told(asked[0]!)).toContain("You remember nothing of it");
  expect(model.unexpected()).toEqual([]);

  // The lost id is not tried again: the next comment goes on with the new session.
  await forge.as("alice").comment({ ...widgets, number: 2, body: "@dev-bot another word" });
  const [, , third] = await service.finished(3);
  expect(third).toMatchObject({ outcome: "succeeded", session: second?.session ?? "" });
  expect(third?.start).toStartWith("resumed");
  expect(await service.metrics()).toContain('claude_session_resume_failures_total{reason="not-found"} 1');
  expect(forge.pullRequests(repository)).toHaveLength(1);
});
