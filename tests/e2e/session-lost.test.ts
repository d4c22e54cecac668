import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { assignIssue, devScript, onePiece, receipts, told, widgets } from "./play.ts";
import { testTimeoutMs } from "./until.ts";
import { openWorld, repository } from "./world.ts";

setDefaultTimeout(testTimeoutMs);

/** Something was said in it, and yet the agent finds no conversation: it takes it for what a sub-agent was told. */
const unresumable = `update transcript_entries set entry = cast('{"type":"user","uuid":"' || entry_key ||
  '","isSidechain":true,"message":{"role":"user","content":"hello"}}' as blob)`;

test.each([
  ["is gone", "delete from transcript_entries", "transcript-missing", "the transcript was missing"],
  ["the agent cannot read", unresumable, "not-found", "No conversation found with session ID"],
])(
  "a session whose transcript %s is begun afresh once, in the same run, and everybody is told",
  async (_how, loss, reason, said) => {
    const script = devScript(
      { when: { prompt: "Implement issue #1" }, ...onePiece("first") },
      { when: { prompt: "Somebody spoke to you about #1" }, repeat: true, ...onePiece("second") },
    );
    await using world = await openWorld({ script });
    const { forge, model, stateDir } = world;
    const before = await world.start();
    const issue = await assignIssue(forge);
    const [first] = await before.finished(1);
    expect(await before.stop()).toBe(0);
    using database = new Database(join(stateDir, "claude-hooks.db"), { readwrite: true });
    expect(database.query(loss).run().changes).toBeGreaterThan(0);
    database.close();

    const service = await world.start();
    await forge.as("alice").comment({ ...widgets, number: 2, body: "@dev-bot a-word-of-mine" });
    const [, second] = await service.finished(2);
    expect(second).toMatchObject({ outcome: "succeeded", attempt: 1, commits: 1, pull_request: 2 });
    expect(second?.session).toBeString();
    expect(second?.session).not.toBe(first?.session ?? null);
    expect(second?.start).toStartWith("started fresh");
    expect(second?.start).toContain(said);
    expect(await service.idle()).toHaveLength(2);
    const [receipt, ...others] = [...receipts(forge, issue), ...receipts(forge, 2)];
    expect(others).toEqual([]);
    expect(receipt?.body).toContain(`- Session: ${second?.start}`);
    const counted = `claude_session_resume_failures_total{reason="${reason}"} 1`;
    expect(await service.metrics()).toContain(counted);
    const asked = model.requests().filter(({ conversation }) => conversation === second?.session);
    expect(told(asked[0]!)).toContain("a-word-of-mine");
    // Which only a fresh session is told.
    expect(told(asked[0]!)).toContain("Please: Add a feature");
    expect(model.unexpected()).toEqual([]);

    // The lost id is not tried again: the next comment goes on with the new session.
    await forge.as("alice").comment({ ...widgets, number: 2, body: "@dev-bot another word" });
    const [, , third] = await service.finished(3);
    expect(third).toMatchObject({ outcome: "succeeded", session: second?.session ?? "" });
    expect(third?.start).toStartWith("resumed");
    expect(await service.metrics()).toContain(counted);
    expect(forge.pullRequests(repository)).toHaveLength(1);
  },
);
