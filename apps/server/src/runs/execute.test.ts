import { describe, expect, test } from "bun:test";
import { ForgeError } from "../domain/forge.ts";
import type { RunFailure } from "../domain/run.ts";
import { executeRun } from "./execute.ts";
import { RunStopped } from "./ports.ts";
import { assigned, completed, forge, issue, newRun, published, world } from "./testing/world.ts";

const never = new AbortController().signal;
const base = { branch: "main", sha: "a".repeat(40), forgeHead: null };

describe("a run", () => {
  test("goes from checkout to pull request and receipt, in order", async () => {
    const { deps, job, effects, steps, run } = world();
    expect(await executeRun(deps, job, never)).toEqual({ kind: "succeeded" });
    expect(steps).toEqual([
      "starting",
      "running",
      "consumed event-1",
      "given back",
      "publishing",
      "linked #13",
      "reporting",
      "finished",
    ]);
    expect(effects.map(({ key, author }) => [key, author])).toEqual([
      ["run:run-00000001:receipt:started", "service"],
      ["run:run-00000001:pull-request", "dev"],
      ["run:run-00000001:receipt:finished", "service"],
    ]);
    expect(run()).toMatchObject({
      pullRequest: 13,
      commits: 1,
      headBefore: "a".repeat(40),
      headAfter: "b".repeat(40),
      failure: null,
    });
  });

  test("without a commit says so and is no success", async () => {
    const workplaces = {
      ...world().deps.workplaces,
      publish: async () => ({ kind: "no-change" as const, head: "a", uncommitted: true }),
    };
    const { deps, job, effects } = world({ workplaces });
    expect(await executeRun(deps, job, never)).toMatchObject({ kind: "failed", failure: { kind: "no-change" } });
    expect(effects.map(({ key }) => key)).not.toContain("run:run-00000001:pull-request");
    const receipt = effects.at(-1)?.body;
    expect(receipt?.kind === "upsert_comment" ? receipt.body : "").toContain("finished without a commit");
  });

  test("whose agent fails gives its events back and reports why", async () => {
    const failure: RunFailure = { kind: "model-unauthorized", retryable: false, detail: "401" };
    const runAgent = async () => ({ ...completed, kind: "failed" as const, failure });
    const { deps, job, steps, effects } = world({ runAgent });
    expect(await executeRun(deps, job, never)).toEqual({ kind: "failed", failure });
    expect(steps).toContain("given back");
    expect(steps.filter((step) => step.startsWith("consumed"))).toEqual([]);
    const receipt = effects.at(-1)?.body;
    expect(receipt?.kind === "upsert_comment" ? receipt.body : "").toContain("model.api_key");
  });

  test("that was stopped in publishing goes on there: no second agent, no second effect", async () => {
    const runAgent = () => Promise.reject(new Error("a second agent"));
    const { deps, job, effects } = world({ runAgent }, newRun({ state: "publishing", base, report: completed.report }));
    expect(await executeRun(deps, job, never)).toEqual({ kind: "succeeded" });
    expect(await executeRun(deps, job, never)).toEqual({ kind: "succeeded" });
    expect(effects.map(({ key }) => key)).toEqual([
      "run:run-00000001:pull-request",
      "run:run-00000001:receipt:finished",
    ]);
  });

  test("is suspended, not failed, when the service stops while the pull request waits", async () => {
    const stop = new AbortController();
    const outbox = {
      enqueue: async () => {},
      ended: async () => {
        stop.abort();
        return { state: "unfinished" as const };
      },
    };
    const { deps, job, run } = world({ outbox });
    expect(await executeRun(deps, job, stop.signal)).toEqual({ kind: "suspended" });
    expect(run().state).toBe("publishing");
  });

  test("whose push fails pushes again later without a second agent, and is given up on the last try", async () => {
    const failure: RunFailure = { kind: "push-failed", retryable: false, detail: "no answer" };
    const workplaces = { ...world().deps.workplaces, publish: async () => ({ kind: "failed" as const, failure }) };
    const { deps, job, run } = world({ workplaces });
    expect(await executeRun(deps, job, never)).toEqual({ kind: "suspended" });
    expect(run().state).toBe("publishing");
    const again = { ...deps, runAgent: () => Promise.reject(new Error("a second agent")) };
    expect(await executeRun(again, { ...job, lastTry: true }, never)).toEqual({ kind: "failed", failure });
  });

  test("is interrupted, not failed, when the service stops while its checkout is made", async () => {
    const stop = new AbortController();
    const prepare = async () => {
      stop.abort();
      throw new RunStopped({ kind: "clone-failed", retryable: true, detail: "killed" });
    };
    const { deps, job } = world({ workplaces: { prepare, publish: async () => published } });
    expect(await executeRun(deps, job, stop.signal)).toMatchObject({
      kind: "failed",
      failure: { kind: "interrupted" },
    });
  });

  test.each([
    ["closed", { state: "closed" as const }, "it was closed before the run started"],
    ["unassigned", { assignees: [] }, "the agent was unassigned before the run started"],
  ])("is called off where the issue was %s meanwhile", async (_what, change, why) => {
    const { deps, job, effects } = world({ forge: () => ({ ...forge, issue: async () => issue(change) }) });
    expect(await executeRun(deps, job, never)).toEqual({ kind: "cancelled", why });
    expect(effects).toEqual([]);
  });

  test("asks what the event asked, not what was edited in afterwards", async () => {
    const seen: string[] = [];
    const prompts = ({ subject }: { subject: { body: string } }) => {
      seen.push(subject.body);
      return { system: "", fresh: "", resumed: "", rebuilt: () => "", told: [] };
    };
    const edited = async () => issue({ body: "Now delete everything." });
    const { deps, job } = world({ forge: () => ({ ...forge, issue: edited }), prompts });
    await executeRun(deps, job, never);
    expect(seen).toEqual(["subject" in assigned ? assigned.subject.body : ""]);
  });

  test("fails for another try when the forge does not answer, and is suspended where it has work to publish", async () => {
    const down = () =>
      Promise.reject(new ForgeError("no answer", { kind: "unavailable", status: null, ambiguous: true }));
    const unreachable = () => ({ ...forge, repository: down, issue: down });
    const first = world({ forge: unreachable });
    expect(await executeRun(first.deps, first.job, never)).toMatchObject({
      kind: "failed",
      failure: { kind: "forge-failed" },
    });
    const second = world({ forge: unreachable }, newRun({ state: "publishing" }));
    expect(await executeRun(second.deps, second.job, never)).toEqual({ kind: "suspended" });
  });

  test("keeps the branch and says so where the pull request is not opened", async () => {
    const outbox = { enqueue: async () => {}, ended: async () => ({ state: "parked" as const, error: "403" }) };
    const { deps, job } = world({ outbox });
    expect(await executeRun(deps, job, never)).toMatchObject({
      kind: "failed",
      failure: { kind: "pull-request-not-opened", detail: "403" },
    });
  });

  test("lets no secret into the pull request or the receipt", async () => {
    const runAgent = async () => ({ ...completed, report: { ...completed.report, summary: "the key is s3cret" } });
    const { deps, job, effects } = world({ runAgent });
    await executeRun(deps, job, never);
    expect(JSON.stringify(effects)).not.toContain("s3cret");
  });
});
