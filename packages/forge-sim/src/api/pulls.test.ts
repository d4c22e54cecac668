import { describe, expect, test } from "bun:test";
import type { ApiChangedFile, ApiCommit, ApiStatus } from "../index.ts";
import { call, openPull, startScene, widgets } from "../testing/scene.ts";

const repo = "/repos/acme/widgets";

describe("pull requests", () => {
  test("exist once between two branches: the second is 409, in Forgejo's words", async () => {
    await using forge = await startScene();
    const bot = forge.as("bot");
    await openPull(bot);
    const body = { title: "again", head: "agent/1", base: "main" };
    const answers = await Promise.all(
      [1, 2].map(() => call(forge, "POST", `${repo}/pulls`, { token: bot.token, body })),
    );
    for (const answer of answers) {
      expect(answer.status).toBe(409);
      expect(answer.json.message).toBe(
        "pull request already exists for these targets [id: 1, issue_id: 1, head_repo_id: 1, base_repo_id: 1, head_branch: agent/1, base_branch: main]",
      );
    }
    await bot.closeIssue({ ...widgets, number: 1 });
    expect((await call(forge, "POST", `${repo}/pulls`, { token: bot.token, body })).status).toBe(201);
  });

  test("asked for twice at once are opened once", async () => {
    await using forge = await startScene();
    const bot = forge.as("bot");
    await bot.createBranch({ ...widgets, name: "b" });
    const body = { title: "a", head: "b", base: "main" };
    const answers = await Promise.all(
      [1, 2, 3].map(() => call(forge, "POST", `${repo}/pulls`, { token: bot.token, body })),
    );
    expect(answers.map((one) => String(one.status)).toSorted()).toEqual(["201", "409", "409"]);
    expect(forge.pullRequests("acme/widgets")).toHaveLength(1);
  });

  test("need two branches that are there and differ", async () => {
    await using forge = await startScene();
    const make = (head: string, base: string) =>
      call(forge, "POST", `${repo}/pulls`, { token: forge.as("bot").token, body: { title: "a", head, base } });
    const missing = await make("nowhere", "main");
    expect([missing.status, missing.json.errors[0]]).toEqual([
      404,
      "could not find 'nowhere' to be a commit, branch or tag in the head repository acme/widgets",
    ]);
    expect((await make("main", "nowhere")).status).toBe(404);
    expect((await make("main", "main")).status).toBe(422);
    expect((await make("eve:main", "main")).status).toBe(404);
    expect(
      (await call(forge, "POST", `${repo}/pulls`, { token: forge.as("bot").token, body: { head: "a", base: "b" } }))
        .status,
    ).toBe(422);
  });

  test("say whether they merge only some time later, and say it anew after a push", async () => {
    await using forge = await startScene();
    const bot = forge.as("bot");
    const mergeable = () => forge.pullRequests("acme/widgets")[0]?.mergeable;
    await openPull(bot);
    await forge.mergeableSettled();
    expect(mergeable()).toBe(true);
    await bot.push({ ...widgets, branch: "agent/1", message: "m", files: { "README.md": "mine\n" } });
    await forge.as("alice").push({ ...widgets, branch: "main", message: "m", files: { "README.md": "hers\n" } });
    expect(mergeable()).toBe(false);
    await forge.mergeableSettled();
    expect(mergeable()).toBe(false);
    await bot.push({ ...widgets, branch: "agent/1", message: "m", files: { "README.md": "hello\n" } });
    await forge.mergeableSettled();
    expect(mergeable()).toBe(true);
    await bot.editIssue({ ...widgets, number: 1, title: "WIP: not yet" });
    const pull = forge.pullRequests("acme/widgets")[0]!;
    expect([pull.draft, pull.mergeable]).toEqual([true, false]);
  });

  test("are false while the check is to come", async () => {
    await using forge = await startScene({ mergeableDelayMs: 20 });
    await forge.as("bot").push({ ...widgets, branch: "b", message: "m", files: { b: "b" } });
    const opened = await forge.as("bot").createPull({ ...widgets, head: "b", base: "main", title: "p" });
    expect(opened.mergeable).toBe(false);
    await forge.mergeableSettled();
    expect(forge.pullRequests("acme/widgets")[0]?.mergeable).toBe(true);
  });

  test("show diff, patch, files and commits of what lies between", async () => {
    await using forge = await startScene();
    const bot = forge.as("bot");
    await openPull(bot);
    await forge.as("alice").push({ ...widgets, branch: "main", message: "elsewhere", files: { "other.txt": "x\n" } });
    await bot.push({
      ...widgets,
      branch: "agent/1",
      message: "two\n\nbody",
      files: { "README.md": null, "src/name.ts": "export const a = 2;\n" },
    });
    const get = (suffix: string) => call(forge, "GET", `${repo}/pulls/1${suffix}`, { token: bot.token });
    expect((await get(".diff")).text).toContain("-export const a = 1;\n+export const a = 2;\n");
    expect((await get(".diff")).text).not.toContain("other.txt");
    expect((await get(".patch")).text).toContain("Subject: [PATCH 2/2] two");
    const files = (await get("/files")).json;
    expect(files.map((one: ApiChangedFile) => [one.filename, one.status, one.additions, one.deletions])).toEqual([
      ["README.md", "deleted", 0, 1],
      ["agent/1.txt", "added", 1, 0],
      ["src/name.ts", "changed", 1, 1],
    ]);
    const commits = (await get("/commits")).json;
    expect(commits.map((one: ApiCommit) => [one.commit.message, one.author?.login])).toEqual([
      ["two\n\nbody\n", "bot"],
      ["add agent/1\n", "bot"],
    ]);
    const pull = (await get("")).json;
    expect([pull.additions, pull.deletions, pull.changed_files]).toEqual([2, 2, 3]);
    expect(pull.head.sha).toBe(forge.branchHead("acme/widgets", "agent/1"));
    expect(pull.base.sha).toBe(forge.branchHead("acme/widgets", "main"));
  });

  test("are found by their branches, and listed by state and change", async () => {
    let now = Date.parse("2026-07-01T10:00:00Z");
    await using forge = await startScene({ now: () => now });
    const bot = forge.as("bot");
    for (const head of ["agent/1", "agent/2"]) await openPull(bot, head);
    now += 10_000;
    await bot.comment({ ...widgets, number: 1, body: "bump" });
    const get = (path: string) => call(forge, "GET", `${repo}/pulls${path}`, { token: bot.token });
    expect((await get("/main/agent/2")).json.number).toBe(2);
    expect((await get("/main/agent/3")).status).toBe(404);
    const numbers = async (query: string) => (await get(query)).json.map((one: { number: number }) => one.number);
    expect(await numbers("?sort=recentupdate")).toEqual([1, 2]);
    expect(await numbers("?sort=oldest")).toEqual([1, 2]);
    expect(await numbers("")).toEqual([2, 1]);
    await bot.closeIssue({ ...widgets, number: 2 });
    expect(await numbers("")).toEqual([1]);
    expect(await numbers("?state=all")).toEqual([2, 1]);
    expect((await get("?poster=nobody")).status).toBe(400);
  });

  test("close when their branch goes, and keep their head", async () => {
    await using forge = await startScene();
    await openPull(forge.as("bot"));
    const head = forge.branchHead("acme/widgets", "agent/1");
    await forge.as("bot").deleteBranch({ ...widgets, name: "agent/1" });
    const pull = forge.pullRequests("acme/widgets")[0]!;
    expect([pull.state, pull.head.ref, pull.head.sha]).toEqual(["closed", "refs/pull/1/head", head!]);
  });
});

describe("branches, commits and statuses", () => {
  test("a branch is made once, from a branch or a commit, and its name may hold slashes", async () => {
    await using forge = await startScene();
    const token = forge.as("bot").token;
    const make = (body: unknown, as = token) => call(forge, "POST", `${repo}/branches`, { token: as, body });
    const made = await make({ new_branch_name: "agent/7", old_ref_name: forge.branchHead("acme/widgets", "main") });
    expect([made.status, made.json.name, made.json.commit.id]).toEqual([
      201,
      "agent/7",
      forge.branchHead("acme/widgets", "main"),
    ]);
    expect((await make({ new_branch_name: "agent/7" })).json.message).toBe("The branch already exists.");
    expect((await make({ new_branch_name: "agent/7/x" })).status).toBe(409);
    expect((await make({ new_branch_name: "x", old_branch_name: "nowhere" })).status).toBe(404);
    expect((await make({ new_branch_name: "a..b" })).status).toBe(422);
    expect((await make({ new_branch_name: "x" }, forge.as("bob").token)).status).toBe(403);
    expect((await call(forge, "GET", `${repo}/branches/agent/7`, { token })).json.name).toBe("agent/7");
    expect((await call(forge, "GET", `${repo}/branches`, { token })).json).toHaveLength(2);
    expect((await call(forge, "DELETE", `${repo}/branches/main`, { token })).status).toBe(403);
  });

  test("every status is kept, and the newest of each context counts", async () => {
    await using forge = await startScene();
    const bot = forge.as("bot");
    const sha = forge.branchHead("acme/widgets", "main")!;
    const empty = await call(forge, "GET", `${repo}/commits/main/status`, { token: bot.token });
    expect([empty.json.state, empty.json.statuses]).toEqual(["", null]);
    await bot.setStatus({ ...widgets, sha, state: "failure", context: "ci" });
    await bot.setStatus({ ...widgets, sha, state: "success", context: "ci" });
    await bot.setStatus({ ...widgets, sha, state: "pending", context: "lint" });
    const all = await call(forge, "GET", `${repo}/commits/${sha}/statuses`, { token: bot.token });
    expect(all.json.map((one: ApiStatus) => one.status)).toEqual(["pending", "success", "failure"]);
    const combined = await call(forge, "GET", `${repo}/commits/main/status`, { token: bot.token });
    expect([combined.json.state, combined.json.total_count, combined.json.sha]).toEqual(["pending", 2, sha]);
    const unknown = { token: bot.token, body: { state: "success" } };
    expect((await call(forge, "POST", `${repo}/statuses/${"1".repeat(40)}`, unknown)).status).toBe(404);
    expect(
      (await call(forge, "POST", `${repo}/statuses/${sha}`, { token: bot.token, body: { state: "fine" } })).status,
    ).toBe(422);
  });

  test("commits and files are read by branch and by SHA, with slashes escaped", async () => {
    await using forge = await startScene();
    const bot = forge.as("bot");
    const sha = await bot.push({ ...widgets, branch: "agent/1", message: "one", files: { "dir/a b.txt": "über\n" } });
    const get = (path: string) => call(forge, "GET", `${repo}${path}`, { token: bot.token });
    expect((await get("/commits?sha=agent/1")).json.map((one: ApiCommit) => one.sha)[0]).toBe(sha);
    expect((await get(`/git/commits/${sha}`)).json.files).toEqual([{ filename: "dir/a b.txt", status: "added" }]);
    expect((await get("/commits/agent%2F1/status")).status).toBe(200);
    expect((await get("/raw/dir/a%20b.txt?ref=agent/1")).text).toBe("über\n");
    expect((await get("/raw/dir/a%20b.txt")).status).toBe(404);
    expect((await get("/raw/dir?ref=agent/1")).status).toBe(404);
    expect((await get("/git/commits/--all")).status).toBe(404);
  });
});
