import { describe, expect, test } from "bun:test";
import { call, openPull, startScene, widgets } from "../testing/scene.ts";

const repo = "/repos/acme/widgets";

describe("who may", () => {
  test("be known by token, Bearer or Basic with the token as password; a bad token is 401", async () => {
    await using forge = await startScene();
    const { token } = forge.as("bot");
    const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    for (const authorization of [`token ${token}`, `Bearer ${token}`, basic("anyone", token)]) {
      expect((await call(forge, "GET", "/user", { authorization })).json.login).toBe("bot");
    }
    for (const authorization of ["token nope", "Bearer nope", basic("bot", "nope")]) {
      expect((await call(forge, "GET", repo, { authorization })).status).toBe(401);
    }
    const anonymous = await call(forge, "GET", "/user");
    expect([anonymous.status, anonymous.json.message]).toEqual([401, "token is required"]);
    expect((await call(forge, "GET", "/version")).status).toBe(200);
  });

  test.each([
    [["read:issue"], "GET", `${repo}/issues`, 200, ""],
    [["write:issue"], "GET", `${repo}/issues`, 200, ""],
    [["read:issue"], "POST", `${repo}/issues`, 403, "[write:issue]"],
    [["write:repository"], "POST", `${repo}/issues`, 403, "[write:issue]"],
    [["read:repository"], "POST", `${repo}/pulls`, 403, "[write:repository]"],
    [["write:issue"], "GET", `${repo}/pulls`, 403, "[read:repository]"],
    [["write:issue"], "GET", "/user", 403, "[read:user]"],
    [["read:user"], "GET", "/user", 200, ""],
  ] as const)("with scopes %p do %s %s: %i", async (scopes, method, path, status, named) => {
    await using forge = await startScene();
    const token = forge.createToken("bot", { scopes });
    const answer = await call(forge, method, path, { token, body: method === "POST" ? { title: "a" } : undefined });
    expect(answer.status).toBe(status);
    if (named) expect(answer.json.message).toBe(`token does not have at least one of required scope(s): ${named}`);
  });

  test("with a token limited to repositories: those, other public ones to read, and no /user", async () => {
    await using forge = await startScene();
    const scopes = ["write:repository", "write:issue"] as const;
    const token = forge.createToken("alice", { scopes, repositories: ["acme/widgets"] });
    expect((await call(forge, "POST", `${repo}/issues`, { token, body: { title: "a" } })).status).toBe(201);
    expect((await call(forge, "GET", "/repos/alice/open", { token })).status).toBe(200);
    expect(
      (await call(forge, "POST", "/repos/alice/open/labels", { token, body: { name: "x", color: "123456" } })).status,
    ).toBe(403);
    expect((await call(forge, "GET", "/user", { token })).status).toBe(403);
    const other = forge.createToken("alice", { scopes, repositories: ["alice/open"] });
    expect((await call(forge, "GET", repo, { token: other })).status).toBe(404);
    expect(() => forge.createToken("alice", { scopes: ["read:user"], repositories: ["acme/widgets"] })).toThrow(
      "read:user",
    );
  });

  test("see a private repository: its people, nobody else", async () => {
    await using forge = await startScene();
    const status = async (login: string) => (await call(forge, "GET", repo, { token: forge.as(login).token })).status;
    expect([await status("bob"), await status("root"), await status("eve")]).toEqual([200, 200, 404]);
    const hidden = await call(forge, "GET", repo);
    expect([hidden.status, hidden.json.message]).toEqual([404, "The target couldn't be found."]);
    expect(hidden.json.url).toEndWith("/api/swagger");
    const byId = `/repositories/${forge.repositoryId("acme/widgets")}`;
    expect((await call(forge, "GET", byId, { token: forge.as("bob").token })).json.full_name).toBe("acme/widgets");
    expect((await call(forge, "GET", byId, { token: forge.as("eve").token })).status).toBe(404);
  });

  test("write to an archived repository: nobody, 423", async () => {
    await using forge = await startScene();
    forge.archive("acme/widgets");
    const token = forge.as("alice").token;
    const answers = await Promise.all([
      call(forge, "POST", `${repo}/issues`, { token, body: { title: "a" } }),
      call(forge, "POST", `${repo}/pulls`, { token, body: { title: "a", head: "b", base: "main" } }),
      call(forge, "POST", `${repo}/branches`, { token, body: { new_branch_name: "b" } }),
    ]);
    expect(answers.map((one) => one.status)).toEqual([423, 423, 423]);
  });

  test("ask for a permission: administrators, and oneself", async () => {
    await using forge = await startScene();
    const ask = (asker: string, about: string) =>
      call(forge, "GET", `${repo}/collaborators/${about}/permission`, { token: forge.as(asker).token });
    const found = async (asker: string, about: string) => (await ask(asker, about)).json.permission;
    expect(await Promise.all(["alice", "bot", "bob", "eve", "root"].map((one) => found("alice", one)))).toEqual([
      "admin",
      "write",
      "read",
      "none",
      "owner",
    ]);
    expect(await found("bot", "bot")).toBe("write");
    const refused = await ask("bot", "bob");
    expect([refused.status, refused.json.message]).toEqual([
      403,
      expect.stringContaining("repo admins can query all repo permissions"),
    ]);
    expect((await ask("alice", "nobody")).status).toBe(404);
    const answer = (await ask("alice", "bot")).json;
    expect([answer.role_name, answer.user.login]).toEqual(["write", "bot"]);
  });

  test("be a collaborator comes and goes", async () => {
    await using forge = await startScene();
    const token = forge.as("alice").token;
    const eve = `${repo}/collaborators/eve`;
    const is = async () => (await call(forge, "GET", eve, { token })).status;
    expect(await is()).toBe(404);
    expect((await call(forge, "PUT", eve, { token, body: { permission: "write" } })).status).toBe(204);
    expect(await is()).toBe(204);
    expect((await call(forge, "DELETE", eve, { token })).status).toBe(204);
    expect(await is()).toBe(404);
    expect((await call(forge, "PUT", eve, { token: forge.as("bot").token, body: {} })).status).toBe(403);
  });
});

describe("lists", () => {
  test("come in pages with their count and links; comments of one issue come whole", async () => {
    await using forge = await startScene();
    const alice = forge.as("alice");
    for (let at = 1; at <= 7; at += 1) await alice.createIssue({ ...widgets, title: `t${at}` });
    const page = await call(forge, "GET", `${repo}/issues?limit=3&page=2&state=all`, { token: alice.token });
    expect(page.json.map((issue: { number: number }) => issue.number)).toEqual([4, 3, 2]);
    expect(page.headers.get("x-total-count")).toBe("7");
    const here = `${forge.url}/api/v1${repo}/issues?limit=3`;
    expect(page.headers.get("link")).toBe(
      `<${here}&page=3&state=all>; rel="next",<${here}&page=3&state=all>; rel="last",` +
        `<${here}&page=1&state=all>; rel="first",<${here}&page=1&state=all>; rel="prev"`,
    );
    for (let at = 0; at < 52; at += 1) await alice.comment({ ...widgets, number: 1, body: `c${at}` });
    const size = async (path: string) => (await call(forge, "GET", path, { token: alice.token })).json.length;
    expect(await size(`${repo}/issues/1/comments?limit=5`)).toBe(52);
    expect(await size(`${repo}/issues/comments?limit=500`)).toBe(50);
    expect(await size(`${repo}/issues/comments`)).toBe(30);
  });

  test("give what changed since a time, ends included", async () => {
    let now = Date.parse("2026-07-01T10:00:00Z");
    await using forge = await startScene({ now: () => now });
    const alice = forge.as("alice");
    const old = await alice.createIssue({ ...widgets, title: "old" });
    await alice.comment({ ...widgets, number: old.number, body: "first" });
    now += 60_900;
    await alice.createIssue({ ...widgets, title: "new" });
    const since = encodeURIComponent("2026-07-01T12:01:00+02:00");
    const titles = async () =>
      (await call(forge, "GET", `${repo}/issues?state=all&since=${since}`, { token: alice.token })).json.map(
        (issue: { title: string; updated_at: string }) => [issue.title, issue.updated_at],
      );
    expect(await titles()).toEqual([["new", "2026-07-01T10:01:00Z"]]);
    await alice.comment({ ...widgets, number: old.number, body: "second" });
    expect((await titles()).length).toBe(2);
    const comments = await call(forge, "GET", `${repo}/issues/comments?since=${since}`, { token: alice.token });
    expect(comments.json.map((comment: { body: string }) => comment.body)).toEqual(["second"]);
    expect((await call(forge, "GET", `${repo}/issues?since=yesterday`, { token: alice.token })).status).toBe(422);
  });

  test("of issues filter by state, type, label and people", async () => {
    await using forge = await startScene();
    const alice = forge.as("alice");
    await alice.createIssue({ ...widgets, title: "a", labels: ["bug"] });
    await alice.createIssue({ ...widgets, title: "b", assignees: ["bot"] });
    await alice.closeIssue({ ...widgets, number: 2 });
    await openPull(forge.as("bot"));
    const numbers = async (query: string) =>
      (await call(forge, "GET", `${repo}/issues?${query}`, { token: alice.token })).json.map(
        (one: { number: number }) => one.number,
      );
    expect(await numbers("")).toEqual([3, 1]);
    expect(await numbers("state=closed")).toEqual([2]);
    expect(await numbers("state=all&type=issues")).toEqual([2, 1]);
    expect(await numbers("type=pulls")).toEqual([3]);
    expect(await numbers("labels=bug,unheard-of")).toEqual([1]);
    expect(await numbers("state=all&created_by=bot")).toEqual([3]);
    expect(await numbers("state=all&assigned_by=bot")).toEqual([2]);
  });
});
