import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { RunDetail } from "@claude-hooks/api";
import { assignIssue, commitOf, devScript, onePiece, receipts, says, sh, told } from "./play.ts";
import { testTimeoutMs } from "./until.ts";
import { openWorld, repository, type World, type WorldOptions } from "./world.ts";

setDefaultTimeout(testTimeoutMs);

/** The limits of a test whose run is not to be tried again by itself. */
const once = { limits: { run_attempts: 1, shutdown_grace_ms: 500 } };

/** One assigned issue, and what its run and its receipt say when it has failed for good. */
async function failedRun(world: World): Promise<{ run: RunDetail; receipt: string }> {
  const service = await world.start();
  const issue = await assignIssue(world.forge);
  const [run, ...others] = await service.finished(1);
  expect(await service.idle()).toHaveLength(1);
  expect(others).toEqual([]);
  expect(run?.outcome).toBe("failed");
  expect(world.forge.pullRequests(repository)).toEqual([]);
  const [receipt, ...more] = receipts(world.forge, issue);
  expect(more).toEqual([]);
  expect(receipt?.body).toContain(
    "- Next: nothing more happens by itself. Mention the agent in a comment to try again.",
  );
  return { run: run!, receipt: receipt?.body ?? "" };
}

const open = (options: WorldOptions): Promise<World> => openWorld({ config: once, ...options });

describe("an agent that", () => {
  test("is killed in mid-work fails its run, which says so", async () => {
    const script = devScript({
      steps: [commitOf("a.txt", "Add a"), { tools: [sh("kill -9 $PPID")] }, says("Never said.")],
    });
    await using world = await open({ script });
    const { run, receipt } = await failedRun(world);
    expect(run.failure).toContain("the agent's process ended before its work did");
    expect(receipt).toContain("the agent's process ended before its work did");
    expect(world.forge.branchHead(repository, "dev/1")).toBeUndefined();
  });

  test("falls silent is ended after its stall_ms", async () => {
    const script = devScript({ steps: [commitOf("a.txt", "Add a"), { fault: "silence" }] });
    await using world = await open({ script, agent: { stall_ms: 5_000 } });
    const { run, receipt } = await failedRun(world);
    expect(run.failure).toBe("the agent said nothing for 5 s (`stall_ms`)");
    expect(receipt).toContain("the agent said nothing for 5 s (`stall_ms`)");
    expect(world.model.requests().map(({ outcome }) => outcome)).toEqual(["answered", "silent"]);
  });

  test("works on past its deadline_ms is ended", async () => {
    const script = devScript({ steps: [{ tools: [sh("tail -f /dev/null")] }, says("Never said.")] });
    await using world = await open({ script, agent: { deadline_ms: 3_000 } });
    const { run } = await failedRun(world);
    expect(run.failure).toBe("the agent was still working after 3 s, its deadline (`deadline_ms`)");
  });

  test("commits nothing is no success", async () => {
    const script = devScript({ steps: [says("I would rather not.")] });
    await using world = await open({ script });
    const { run, receipt } = await failedRun(world);
    expect(run).toMatchObject({ commits: 0, pull_request: null, summary: "I would rather not." });
    expect(run.failure).toBe("the agent finished without a commit: the branch is as it was");
    expect(receipt).toContain("**dev** finished without a commit: the branch is as it was.");
    expect(receipt).toContain("> I would rather not.");
  });

  test("changes and does not commit is told apart from one that does nothing", async () => {
    const script = devScript({ steps: [{ tools: [sh("echo half > half.txt")] }, says("Not sure.")] });
    await using world = await open({ script });
    const { receipt } = await failedRun(world);
    expect(receipt).toContain("it left changes, but committed none of them");
  });
});

test("a model that refuses the credential fails the run at once, and says what to mend", async () => {
  // Not tried again by itself, however many attempts are left: no retry mends a credential.
  await using world = await open({ script: devScript(onePiece("first")), config: {}, modelKey: "an-old-key" });
  const { run, receipt } = await failedRun(world);
  for (const said of [run.failure, receipt]) {
    expect(said).toContain("the model refused the service's credential");
    expect(said).toContain("Set a valid `model.api_key` or `model.oauth_token` and restart the service");
    expect(said).not.toContain("an-old-key");
  }
  expect(world.model.requests().map(({ kind, status }) => [kind, status])).toEqual([["refused", 401]]);
});

describe("the repository's setup command", () => {
  test("that fails ends the run before any agent, with the end of its output in the receipt", async () => {
    const setup = "seq 1 5000; echo 'no compiler for widgets' >&2; exit 3";
    await using world = await open({ script: devScript(onePiece("first")), repository: { setup } });
    const { run, receipt } = await failedRun(world);
    expect(run.failure).toContain("the repository's `setup` command failed");
    expect(receipt).toContain("no compiler for widgets");
    expect(receipt.length).toBeLessThan(10_000);
    expect(world.model.requests()).toEqual([]);
  });

  test("and its tests run in the jail that the agent works in", async () => {
    const script = devScript({
      steps: [
        {
          tools: [
            sh("cat made-by-setup.txt; sh test.sh > test-output.txt; git add test-output.txt; git commit -q -m Try"),
          ],
        },
        says("It says: {{lastToolResult}}"),
      ],
    });
    const setup = "(hostname; pwd; id -u) > made-by-setup.txt; echo made-by-setup.txt >> .git/info/exclude";
    const files = {
      "README.md": "# Widgets\n",
      "test.sh": "grep -q agent made-by-setup.txt && echo passed in $(hostname)\n",
    };
    await using world = await open({ script, files, repository: { setup, test_command: "sh test.sh" } });
    const { forge, model } = world;
    const service = await world.start();
    await assignIssue(forge);
    const [run] = await service.finished(1);
    expect(run).toMatchObject({ outcome: "succeeded", commits: 1 });
    expect(run?.summary).toMatch(/It says: agent\n\/repo\n(?!0$)\d+/);
    expect(told(model.requests()[0]!)).toContain("Run the project's tests: `sh test.sh`.");
    const address = `${forge.url}/api/v1/repos/acme/widgets/raw/test-output.txt?ref=dev/1`;
    const output = await fetch(address, { headers: { authorization: `token ${forge.as("alice").token}` } });
    expect(await output.text()).toBe("passed in agent\n");
  });
});
