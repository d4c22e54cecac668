import { expect, setDefaultTimeout, test } from "bun:test";
import { assignIssue, commitOf, devScript, receipts, says, widgets } from "./play.ts";
import { testTimeoutMs } from "./until.ts";
import { openWorld, repository } from "./world.ts";

setDefaultTimeout(testTimeoutMs);

const script = devScript(
  { when: { prompt: "Implement issue #1 of acme/widgets" }, steps: [commitOf("a.txt", "Add a"), says("Added a.")] },
  { when: { prompt: "and b as well" }, steps: [commitOf("b.txt", "Add b"), says("Added b.")] },
);

test("an assigned issue becomes a pull request, and a comment on it a second commit of the same session", async () => {
  await using world = await openWorld({ script });
  const { forge, model } = world;
  const service = await world.start();

  const issue = await assignIssue(forge, "Add a");
  const [first] = await service.finished(1);
  const [opened] = forge.pullRequests(repository);
  expect(opened).toMatchObject({ number: 2, state: "open", title: "Add a", user: { login: "dev-bot" } });
  expect(opened?.head.ref).toBe("dev/1");
  expect(opened?.body).toContain("Closes #1");
  expect(opened?.body).toContain("Added a.");
  expect(first).toMatchObject({
    lane: "dev:acme/widgets#1",
    skill: "implement",
    outcome: "succeeded",
    start: "started fresh: the first run here",
    commits: 1,
    pull_request: 2,
    turns: 2,
    head_after: forge.branchHead(repository, "dev/1") ?? "no branch",
    summary: "Added a.",
  });
  expect(first?.cost_usd).toBeGreaterThan(0);
  const [receipt, ...others] = receipts(forge, issue);
  expect(others).toEqual([]);
  expect(receipt?.body).toContain("**dev** is done: #2.");
  expect(receipt?.body).toContain("- Why: alice assigned this to dev-bot");
  expect(receipt?.body).toContain("2 turns");
  expect(receipt?.body).toContain(`$${first?.cost_usd?.toFixed(4)}`);

  await forge.as("alice").comment({ ...widgets, number: 2, body: "@dev-bot and b as well, please" });
  const [, second] = await service.finished(2);
  expect(second).toMatchObject({
    lane: "dev:acme/widgets#1",
    skill: "follow-up",
    outcome: "succeeded",
    session: first?.session ?? "no session",
    commits: 1,
    pull_request: 2,
    head_before: first?.head_after ?? "no head",
    head_after: forge.branchHead(repository, "dev/1") ?? "no branch",
  });
  expect(second?.start).toStartWith("resumed");
  expect(second?.turns).toBe(2);
  expect(second?.cost_usd).toBeGreaterThan(0);

  expect(forge.pullRequests(repository).map(({ number }) => number)).toEqual([2]);
  expect(await subjectsOn(forge.as("alice"), "dev/1")).toEqual(["Add b", "Add a", "Initial commit"]);
  const rewritten = [...receipts(forge, issue), ...receipts(forge, 2)];
  expect(rewritten.map(({ id }) => id)).toEqual([receipt?.id ?? 0]);
  expect(rewritten[0]?.body).toContain("- Session: resumed");
  expect(rewritten[0]?.body).toContain("alice asked in [a comment](");
  expect(rewritten[0]?.body).toContain("Earlier runs");
  expect(model.unexpected()).toEqual([]);

  const { events, runs } = await service.explain("acme/widgets#1");
  const matched = events.flatMap((event) =>
    event.decisions.filter((decision) => decision.matched).map(({ flow, why }) => ({ kind: event.kind, flow, why })),
  );
  expect(matched).toEqual([
    {
      kind: "issue.assigned",
      flow: "Implement an assigned issue",
      why: expect.stringContaining("alice has admin access to acme/widgets") as string,
    },
    {
      kind: "comment.created",
      flow: "Answer a mention",
      why: expect.stringContaining("dev is mentioned") as string,
    },
  ]);
  expect(events.every((event) => event.decided && event.decisions.every(({ why }) => why !== ""))).toBe(true);
  expect(new Set(runs.map(({ id }) => id))).toEqual(new Set([first?.id ?? "", second?.id ?? ""]));
});

async function subjectsOn(actor: { request<T>(method: string, path: string): Promise<T> }, branch: string) {
  const commits = await actor.request<{ commit: { message: string } }[]>(
    "GET",
    `/repos/acme/widgets/commits?sha=${encodeURIComponent(branch)}`,
  );
  return commits.map(({ commit }) => commit.message.trim());
}
