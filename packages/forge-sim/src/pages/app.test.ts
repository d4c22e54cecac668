import { describe, expect, test } from "bun:test";
import { openPull, startScene, widgets } from "../testing/scene.ts";
import { markdown } from "./markdown.ts";

describe("pages", () => {
  test("show repositories, issues, pull requests, commits and diffs", async () => {
    await using forge = await startScene();
    const alice = forge.as("alice");
    await alice.createIssue({
      ...widgets,
      title: "The crash",
      body: "Do **this**",
      assignees: ["bot"],
      labels: ["bug"],
    });
    await openPull(forge.as("bot"));
    await alice.comment({ ...widgets, number: 2, body: "rename `it`" });
    await forge.mergeableSettled();
    const get = async (path: string) => (await fetch(`${forge.url}${path}`)).text();
    expect(await get("/")).toContain("acme/widgets");
    expect(await get("/acme/widgets")).toContain("The crash");
    const issue = await get("/acme/widgets/issues/1");
    for (const part of ["<strong>this</strong>", "label-ee0701", ">bot<"])
      expect(issue).toContain(part.replace(">bot<", "bot"));
    const pull = await get("/acme/widgets/pulls/2");
    for (const part of ["<code>it</code>", "agent/1.txt", '<tr class="added">', "No conflicts"])
      expect(pull).toContain(part);
    expect(await get(`/acme/widgets/commit/${forge.branchHead("acme/widgets", "agent/1")}`)).toContain("add agent/1");
    expect(await get("/acme/widgets/pulls/2.diff")).toStartWith("diff --git");
    expect(await get("/-/style.css")).toContain(".label-ee0701");
    expect((await fetch(`${forge.url}/acme/nothing`)).status).toBe(404);
    expect((await fetch(`${forge.url}/acme/widgets/pulls/1`)).url).toEndWith("/issues/1");
  });

  test("keep hostile text inert under a strict policy", async () => {
    await using forge = await startScene();
    const bad = "<img src=x onerror=alert(1)>";
    await forge
      .as("alice")
      .createIssue({ ...widgets, title: bad, body: `${bad}\n\n[x](javascript:alert(1))\n\n<script>alert(1)</script>` });
    await forge.as("bot").push({ ...widgets, branch: "b", message: bad, files: { [`${bad}.txt`]: `${bad}\n` } });
    await forge.as("bot").createPull({ ...widgets, head: "b", base: "main", title: bad });
    for (const path of ["/acme/widgets", "/acme/widgets/issues/1", "/acme/widgets/pulls/2"]) {
      const page = await fetch(`${forge.url}${path}`);
      const text = await page.text();
      expect(text).toContain("onerror=alert(1)");
      expect(text).not.toMatch(/<(img|script)|href="javascript:/);
      expect(page.headers.get("content-security-policy")).toStartWith("default-src 'none'; style-src 'self'");
    }
  });

  test("act as the chosen user, through the API", async () => {
    await using forge = await startScene();
    await forge.as("alice").createIssue({ ...widgets, title: "a" });
    const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
      fetch(`${forge.url}${path}`, { method: "POST", body: new URLSearchParams(fields), headers, redirect: "manual" });
    const chosen = await post("/-/act-as", { login: "bot", back: "/acme/widgets" });
    expect(chosen.headers.get("location")).toBe("/acme/widgets");
    const cookie = chosen.headers.get("set-cookie")?.split(";")[0] ?? "";
    const issue = "/acme/widgets/issues/1";
    expect((await post(`${issue}/comment`, { body: "one\r\ntwo" }, { cookie })).status).toBe(303);
    await post(`${issue}/assign`, { add: "alice" }, { cookie });
    await post(`${issue}/state`, { state: "closed" }, { cookie });
    const [comment] = forge.comments("acme/widgets", 1);
    expect([comment?.user.login, comment?.body]).toEqual(["bot", "one\ntwo"]);
    expect(forge.issues("acme/widgets")[0]).toMatchObject({ state: "closed", assignee: { login: "alice" } });
    await post(`${issue}/assign`, { remove: "alice" }, { cookie });
    expect(forge.issues("acme/widgets")[0]?.assignees).toBeNull();
    const reader = { cookie: "forge_sim_user=bob" };
    const refused = await post(`${issue}/state`, { state: "open" }, reader);
    expect([refused.status, (await refused.text()).includes("403")]).toEqual([400, true]);
    expect((await post("/acme/widgets/issues/new", { title: "b", body: "" }, reader)).status).toBe(303);
  });

  test("show reviews with their remarks on lines, and take one", async () => {
    await using forge = await startScene();
    await openPull(forge.as("bot"));
    const form = {
      event: "REQUEST_CHANGES",
      body: "not *yet*",
      path: "agent/1.txt",
      line: "1",
      remark: "why **new**?",
    };
    const review = (fields: Record<string, string>, login = "alice") =>
      fetch(`${forge.url}/acme/widgets/pulls/1/review`, {
        method: "POST",
        body: new URLSearchParams({ path: "", line: "", remark: "", ...fields }),
        headers: { cookie: `forge_sim_user=${login}` },
        redirect: "manual",
      });
    expect((await review(form)).status).toBe(303);
    await forge.as("alice").review({ ...widgets, number: 1, event: "PENDING", body: "nobody-sees-this" });
    const page = await (await fetch(`${forge.url}/acme/widgets/pulls/1`)).text();
    for (const part of [
      "requested changes",
      "<em>yet</em>",
      "<code>agent/1.txt</code>",
      "line 1",
      "<strong>new</strong>",
    ])
      expect(page).toContain(part);
    expect(page).toContain("<option>agent/1.txt</option>");
    expect(page).not.toContain("nobody-sees-this");
    const own = await review({ event: "APPROVED", body: "" }, "bot");
    expect([own.status, (await own.text()).includes("approve your own pull is not allowed")]).toEqual([400, true]);
    expect((await review({ event: "APPROVED", body: "" }, "bob")).status).toBe(303);
    expect(await (await fetch(`${forge.url}/acme/widgets/pulls/1`)).text()).toContain("approved these changes");
  });

  test("take no form of another site, and lead to no other site", async () => {
    await using forge = await startScene();
    await forge.as("alice").createIssue({ ...widgets, title: "a" });
    const post = (path: string, headers: Record<string, string>, fields: Record<string, string>) =>
      fetch(`${forge.url}${path}`, { method: "POST", headers, body: new URLSearchParams(fields), redirect: "manual" });
    const comment = "/acme/widgets/issues/1/comment";
    expect((await post(comment, { origin: "http://evil.example" }, { body: "x" })).status).toBe(403);
    expect((await post(comment, { "sec-fetch-site": "cross-site" }, { body: "x" })).status).toBe(403);
    expect(forge.comments("acme/widgets", 1)).toEqual([]);
    const away = await post("/-/act-as", {}, { login: "bob", back: "//evil.example" });
    expect(away.headers.get("location")).toBe("/");
  });

  test.each([
    ["a <!-- marker --> b", "<p>a  b</p>"],
    ["<details><summary>more</summary>\n\nx\n\n</details>", "<details><summary>more</summary>\n<p>x</p>\n</details>"],
    ["<details open onclick=x>", "&lt;details open onclick=x&gt;"],
    ["`<details>` &lt;details&gt;", "<p><code>&lt;details&gt;</code> &lt;details&gt;</p>"],
    ["Closes #1", '<p>Closes <a href="/acme/widgets/issues/1">#1</a></p>'],
    ["`#1` &#35;1x a#1", "<p><code>#1</code> #1x a#1</p>"],
    ["<!-- open <script>x</script>", "&lt;!-- open &lt;script&gt;x&lt;/script&gt;"],
  ])("markdown %p", (text, expected) => {
    expect(String(markdown(text, "/acme/widgets"))).toBe(expected);
  });
});
