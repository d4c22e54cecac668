import { describe, expect, test } from "bun:test";
import { call, startScene, widgets } from "../testing/scene.ts";

const repo = "/repos/acme/widgets";

describe("issues", () => {
  test("are changed with 201, and PATCH replaces the assignees", async () => {
    await using forge = await startScene();
    const alice = forge.as("alice");
    await alice.createIssue({ ...widgets, title: "a", assignees: ["bot"] });
    const patched = await call(forge, "PATCH", `${repo}/issues/1`, {
      token: alice.token,
      body: { title: "b", body: "c", state: "closed", assignees: ["alice", "bob"] },
    });
    expect(patched.status).toBe(201);
    expect([patched.json.title, patched.json.body, patched.json.state]).toEqual(["b", "c", "closed"]);
    expect(patched.json.assignees.map((user: { login: string }) => user.login)).toEqual(["alice", "bob"]);
    expect(patched.json.closed_at).not.toBeNull();
  });

  test("need a title, a known assignee, and one who may see them", async () => {
    await using forge = await startScene();
    const make = (body: unknown) => call(forge, "POST", `${repo}/issues`, { token: forge.as("alice").token, body });
    expect((await make({})).json.message).toBe("[Title]: Required");
    expect((await make({ title: "" })).status).toBe(422);
    expect((await make({ title: 5 })).status).toBe(422);
    expect((await make({ title: "a", assignees: ["nobody"] })).json.message).toContain("Assignee does not exist");
    expect((await make({ title: "a", assignees: ["eve"] })).json.message).toContain("doesn't have access to repo");
    expect(forge.issues("acme/widgets")).toEqual([]);
    const broken = await fetch(`${forge.url}/api/v1${repo}/issues`, {
      method: "POST",
      headers: { authorization: `token ${forge.as("alice").token}` },
      body: "{",
    });
    expect(broken.status).toBe(422);
  });

  test("by a reader come without the assignees and labels that they asked for", async () => {
    await using forge = await startScene();
    const { number } = await forge
      .as("bob")
      .createIssue({ ...widgets, title: "a", assignees: ["bot"], labels: ["bug"] });
    const issue = forge.issues("acme/widgets")[0]!;
    expect([issue.assignees, issue.labels]).toEqual([null, []]);
    await forge.as("bob").editIssue({ ...widgets, number, title: "b" });
    const mine = (await forge.as("alice").createIssue({ ...widgets, title: "hers" })).number;
    const refused = await call(forge, "PATCH", `${repo}/issues/${mine}`, {
      token: forge.as("bob").token,
      body: { title: "x" },
    });
    expect([refused.status, refused.text]).toEqual([403, ""]);
  });

  test("and pull requests share their numbers, and a pull request is an issue, too", async () => {
    await using forge = await startScene();
    const bot = forge.as("bot");
    await bot.createIssue({ ...widgets, title: "a" });
    await bot.push({ ...widgets, branch: "b", message: "m", files: { b: "b" } });
    const pull = await bot.createPull({ ...widgets, head: "b", base: "main", title: "p" });
    expect(pull.number).toBe(2);
    const issue = await call(forge, "GET", `${repo}/issues/2`, { token: bot.token });
    expect(issue.json.pull_request).toEqual({ merged: false, merged_at: null, draft: false, html_url: pull.html_url });
    expect((await call(forge, "GET", `${repo}/issues/3`, { token: bot.token })).status).toBe(404);
  });
});

describe("comments", () => {
  test("are written by readers, and changed by their author or a writer only", async () => {
    await using forge = await startScene();
    await forge.as("alice").createIssue({ ...widgets, title: "a" });
    const { id } = await forge.as("bob").comment({ ...widgets, number: 1, body: "bob's" });
    const edit = (login: string) =>
      call(forge, "PATCH", `${repo}/issues/comments/${id}`, {
        token: forge.as(login).token,
        body: { body: `by ${login}` },
      });
    expect((await edit("bob")).status).toBe(200);
    expect((await edit("bot")).json.body).toBe("by bot");
    const other = await forge.as("alice").comment({ ...widgets, number: 1, body: "alice's" });
    const refused = await call(forge, "DELETE", `${repo}/issues/comments/${other.id}`, {
      token: forge.as("bob").token,
    });
    expect([refused.status, refused.text]).toEqual([403, ""]);
    expect(
      (await call(forge, "DELETE", `${repo}/issues/comments/${id}`, { token: forge.as("bob").token })).status,
    ).toBe(204);
    expect((await call(forge, "GET", `${repo}/issues/comments/${id}`, { token: forge.as("bob").token })).status).toBe(
      404,
    );
    expect(forge.comments("acme/widgets", 1).map((one) => one.body)).toEqual(["alice's"]);
    const empty = await call(forge, "POST", `${repo}/issues/1/comments`, {
      token: forge.as("bob").token,
      body: { body: "" },
    });
    expect([empty.status, empty.json.message]).toEqual([422, "[Body]: Required"]);
  });

  test("of another repository are not there", async () => {
    await using forge = await startScene();
    await forge.as("alice").createIssue({ ...widgets, title: "a" });
    const { id } = await forge.as("alice").comment({ ...widgets, number: 1, body: "secret" });
    const there = await call(forge, "GET", `/repos/alice/open/issues/comments/${id}`, { token: forge.as("eve").token });
    expect(there.status).toBe(404);
  });
});

describe("labels", () => {
  const names = (answer: { json: { name: string }[] }) => answer.json.map((label) => label.name);

  test("of an issue are added, replaced and taken by name or id; unknown names are dropped in silence", async () => {
    await using forge = await startScene();
    const token = forge.as("alice").token;
    await forge.as("alice").createIssue({ ...widgets, title: "a" });
    const labels = (method: string, body?: unknown, suffix = "") =>
      call(forge, method, `${repo}/issues/1/labels${suffix}`, { token, body });
    const bug = names(await call(forge, "GET", `${repo}/labels`, { token })).indexOf("bug");
    expect(bug).toBeGreaterThan(-1);
    expect(names(await labels("POST", { labels: ["bug", "unheard-of"] }))).toEqual(["bug"]);
    expect(names(await labels("POST", { labels: ["agent/ready"] }))).toEqual(["agent/ready", "bug"]);
    expect(names(await labels("PUT", { labels: ["agent/held"] }))).toEqual(["agent/held"]);
    expect((await labels("POST", { labels: ["bug", 1] })).status).toBe(400);
    expect((await labels("DELETE", undefined, "/agent%2Fheld")).status).toBe(204);
    expect((await labels("DELETE", undefined, "/unheard-of")).status).toBe(422);
    expect(names(await labels("GET"))).toEqual([]);
    expect(
      (
        await call(forge, "POST", `${repo}/issues/1/labels`, {
          token: forge.as("bob").token,
          body: { labels: ["bug"] },
        })
      ).status,
    ).toBe(403);
  });

  test("that exclude each other do so", async () => {
    await using forge = await startScene();
    const alice = forge.as("alice");
    await alice.createIssue({ ...widgets, title: "a", labels: ["bug", "agent/ready"] });
    const left = await alice.request<{ name: string }[]>("POST", `${repo}/issues/1/labels`, { labels: ["agent/held"] });
    expect(left.map((label) => label.name)).toEqual(["agent/held", "bug"]);
  });

  test("of a repository are made, changed and deleted by writers", async () => {
    await using forge = await startScene();
    const token = forge.as("bot").token;
    const made = await call(forge, "POST", `${repo}/labels`, { token, body: { name: "new", color: "#00AAFF" } });
    expect([made.status, made.json.color]).toEqual([201, "00aaff"]);
    const path = `${repo}/labels/${made.json.id}`;
    expect((await call(forge, "PATCH", path, { token, body: { name: "newer" } })).json.name).toBe("newer");
    await forge.as("bot").createIssue({ ...widgets, title: "a", labels: ["newer"] });
    expect((await call(forge, "DELETE", path, { token })).status).toBe(204);
    expect(forge.issues("acme/widgets")[0]?.labels).toEqual([]);
    const body = { name: "x", color: "red" };
    expect((await call(forge, "POST", `${repo}/labels`, { token, body })).status).toBe(422);
    expect((await call(forge, "POST", `${repo}/labels`, { token: forge.as("bob").token, body })).status).toBe(403);
  });
});

describe("reactions", () => {
  test("answer 201, then 200, and are taken back", async () => {
    await using forge = await startScene();
    const token = forge.as("bot").token;
    await forge.as("alice").createIssue({ ...widgets, title: "a" });
    const { id } = await forge.as("alice").comment({ ...widgets, number: 1, body: "b" });
    for (const path of [`${repo}/issues/1/reactions`, `${repo}/issues/comments/${id}/reactions`]) {
      const react = (method: string, content = "eyes") => call(forge, method, path, { token, body: { content } });
      expect((await call(forge, "GET", path, { token })).json).toBeNull();
      expect([(await react("POST")).status, (await react("POST")).status]).toEqual([201, 200]);
      expect((await react("POST", "sausage")).status).toBe(403);
      const list = (await call(forge, "GET", path, { token })).json;
      expect(list.map((one: { content: string; user: { login: string } }) => [one.content, one.user.login])).toEqual([
        ["eyes", "bot"],
      ]);
      expect((await react("DELETE")).status).toBe(200);
      expect((await call(forge, "GET", path, { token })).json).toBeNull();
    }
  });
});
