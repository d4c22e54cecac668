import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
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
  const before = await world.start();
  const issue = await assignIssue(forge);
  const [first] = await before.finished(1);
  // The server alone may use its database while it runs.
  await before.stop();
  using db = new Database(join(stateDir, "claude-hooks.db"));
  expect(db.run("delete from transcript_entries where session_id = ?", [first?.session ?? ""]).changes).toBeGreaterThan(
    4,
  );
  db.close();
  const service = await world.start();

  await forge.as("alice").comment({ ...widgets, number: 2, body: "@dev-bot a-word-of-mine" });
  const [, second] = await service.finished(2);
  expect(second).toMatchObject({ outcome: "succeeded", attempt: 1, commits: 1, pull_request: 2 });
  expect(second?.session).toBeString();
  expect(second?.session).not.toBe(first?.session ?? null);
  expect(second?.start).toContain("the transcript was missing (nothing of it is stored)");
  expect(await service.idle()).toHaveLength(2);
  const [receipt, ...others] = [...receipts(forge, issue), ...receipts(forge, 2)];
  expect(others).toEqual([]);
  expect(receipt?.body).toContain(`- Session: ${second?.start}`);
  expect(await service.metrics()).toContain('claude_session_resume_failures_total{reason="transcript-missing"} 1');
  const asked = model.requests().filter(({ conversation }) => conversation === second?.session);
  expect(told(asked[0]!)).toContain("a-word-of-mine");
  expect(told(asked[0]!)).toContain("You remember nothing of it");
  expect(model.unexpected()).toEqual([]);

  // The lost id is not tried again: the next comment goes on with the new session.
  await forge.as("alice").comment({ ...widgets, number: 2, body: "@dev-bot another word" });
  const [, , third] = await service.finished(3);
  expect(third).toMatchObject({ outcome: "succeeded", session: second?.session ?? "" });
  expect(third?.start).toStartWith("resumed");
  expect(await service.metrics()).toContain('claude_session_resume_failures_total{reason="transcript-missing"} 1');
  expect(forge.pullRequests(repository)).toHaveLength(1);
});
