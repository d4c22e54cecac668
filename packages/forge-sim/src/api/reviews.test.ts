import { describe, expect, test } from "bun:test";
import type { ApiReview, ApiReviewComment, Forge } from "../index.ts";
import { Receiver } from "../testing/receiver.ts";
import { call, startScene, widgets } from "../testing/scene.ts";

const reviews = "/repos/acme/widgets/pulls/1/reviews";
const pull = { ...widgets, number: 1 };
const before = Array.from({ length: 12 }, (_, n) => `line ${n + 1}\n`).join("");
const after = before.replace("line 7\n", "line seven\n").replace("line 12\n", "line 12\nline 13\n");

/** bot's pull request, which changes a file of twelve lines. */
async function reviewable(): Promise<Forge> {
  const forge = await startScene();
  await forge.as("alice").push({ ...widgets, branch: "main", message: "long", files: { "long.txt": before } });
  await forge.as("bot").push({ ...widgets, branch: "agent/1", message: "change", files: { "long.txt": after } });
  await forge.as("bot").createPull({ ...widgets, head: "agent/1", base: "main", title: "p", body: "" });
  return forge;
}

const listed = (forge: Forge, login: string): Promise<ApiReview[]> => forge.as(login).request("GET", reviews);
const post = (forge: Forge, login: string, body: object, path = reviews) =>
  call(forge, "POST", path, { token: forge.as(login).token, body });

describe("reviews", () => {
  test("are kept with the verdict, the commit and what they say on lines", async () => {
    await using forge = await reviewable();
    const head = forge.branchHead("acme/widgets", "agent/1")!;
    const main = forge.branchHead("acme/widgets", "main")!;
    const made = await forge.as("alice").review({
      ...pull,
      event: "REQUEST_CHANGES",
      body: "nearly",
      comments: [
        { path: "long.txt", body: "in digits", new_position: 7 },
        { path: "long.txt", body: "why gone?", old_position: 7 },
        { path: "long.txt", body: "an old line", new_position: 10 },
        { path: "nowhere.txt", body: "hm", new_position: 70 },
      ],
    });
    expect(made).toMatchObject({
      id: 1,
      user: { login: "alice" },
      state: "REQUEST_CHANGES",
      body: "nearly",
      commit_id: head,
      stale: false,
      official: true,
      comments_count: 4,
      html_url: `${forge.url}/acme/widgets/pulls/1#issuecomment-5`,
    });
    expect(await listed(forge, "bob")).toMatchObject([{ id: 1 }]);
    expect(await forge.as("bob").request<ApiReview>("GET", `${reviews}/1`)).toMatchObject({ body: "nearly" });
    const comments = await forge.as("bob").request<ApiReviewComment[]>("GET", `${reviews}/1/comments`);
    expect(comments.map(({ id }) => id)).toEqual([4, 3, 2, 1]);
    const places = comments
      .toReversed()
      .map((one) => [one.path, one.position, one.original_position, one.commit_id, one.diff_hunk]);
    expect(places).toEqual([
      ["long.txt", 7, 0, head, "@@ -5,3 +5,3 @@\n line 5\n line 6\n-line 7\n+line seven"],
      ["long.txt", 0, 7, head, "@@ -4,9 +4,10 @@ line 3\n line 4\n line 5\n line 6\n-line 7"],
      ["long.txt", 10, 0, main, "@@ -8,3 +7,4 @@\n+line seven\n line 8\n line 9\n line 10"],
      ["nowhere.txt", 70, 0, head, ""],
    ]);
    expect(forge.pullRequests("acme/widgets")[0]).toMatchObject({ comments: 1, review_comments: 1 });
    expect(forge.comments("acme/widgets", 1)).toEqual([]);
  });

  test("that cannot be are refused in Forgejo's words", async () => {
    await using forge = await reviewable();
    const refusals: [string, object, number, string][] = [
      ["bot", { event: "APPROVED" }, 422, "approve your own pull is not allowed"],
      ["bot", { event: "REQUEST_CHANGES", body: "x" }, 422, "reject your own pull is not allowed"],
      ["alice", { event: "REQUEST_CHANGES", body: " " }, 422, "review event REQUEST_CHANGES requires a body"],
      ["alice", { event: "COMMENT" }, 422, "review event COMMENT requires a body or a comment"],
      ["alice", {}, 422, "review event  requires a body"],
      ["alice", { event: "APPROVED", commit_id: "1".repeat(40) }, 500, `object does not exist [id: ${"1".repeat(40)}]`],
      ["eve", { event: "APPROVED" }, 404, "The target couldn't be found."],
    ];
    for (const [login, body, status, message] of refusals) {
      const answer = await post(forge, login, body);
      expect([answer.status, answer.json.message]).toEqual([status, message]);
    }
    expect((await call(forge, "POST", reviews, { body: { event: "APPROVED" } })).status).toBe(404);
    expect((await post(forge, "alice", { event: "APPROVED" }, "/repos/acme/widgets/pulls/9/reviews")).status).toBe(404);
    expect(await listed(forge, "alice")).toEqual([]);
    expect((await post(forge, "bot", { event: "COMMENT", body: "my own" })).status).toBe(200);
    expect((await call(forge, "GET", `${reviews}/9`, { token: forge.as("bot").token })).status).toBe(404);
  });

  test("that are pending are seen by their writer alone and tell nobody, until they are submitted", async () => {
    await using forge = await reviewable();
    using receiver = new Receiver();
    await forge.as("alice").createHook({ ...widgets, url: receiver.url, events: ["pull_request_review"] });
    const comments = [{ path: "long.txt", body: "later", new_position: 7 }];
    const pending = await forge.as("alice").review({ ...pull, event: "PENDING", body: "draft", comments });
    expect(pending).toMatchObject({ state: "PENDING", comments_count: 1 });
    expect([await listed(forge, "bot"), await listed(forge, "root")]).toMatchObject([[], [{ id: pending.id }]]);
    const get = await call(forge, "GET", `${reviews}/1`, { token: forge.as("bot").token });
    expect(get.status).toBe(404);
    const again = await post(forge, "alice", { event: "PENDING", body: "x" }, `${reviews}/1`);
    expect([again.status, again.json.message]).toEqual([422, "review stay pending"]);
    const sent = await post(forge, "alice", { event: "COMMENT", body: "sent" }, `${reviews}/1`);
    expect(sent.json).toMatchObject({ id: 1, state: "COMMENT", body: "sent", comments_count: 1, official: false });
    const twice = await post(forge, "alice", { event: "COMMENT", body: "sent" }, `${reviews}/1`);
    expect([twice.status, twice.json.message]).toEqual([422, "only a pending review can be submitted"]);
    await forge.settled();
    expect(receiver.received.map(({ eventType }) => eventType)).toEqual(["pull_request_review_comment"]);
    expect(receiver.received[0]?.payload).toMatchObject({ review: { content: "sent" }, sender: { login: "alice" } });
  });

  test("go stale when the content changes, and only the last verdict of a writer is official", async () => {
    await using forge = await reviewable();
    await forge.as("alice").review({ ...pull, event: "REQUEST_CHANGES", body: "no" });
    await forge.as("bob").review({ ...pull, event: "APPROVED" });
    const old = forge.branchHead("acme/widgets", "agent/1")!;
    const states = async () =>
      (await listed(forge, "alice")).map(({ user, stale, official }) => [user.login, stale, official]);
    expect(await states()).toEqual([
      ["alice", false, true],
      ["bob", false, false],
    ]);
    await forge.as("bot").push({ ...widgets, branch: "agent/1", message: "more", files: { "more.txt": "more\n" } });
    await forge.as("alice").review({ ...pull, event: "APPROVED" });
    await forge.as("root").review({ ...pull, event: "APPROVED", commit_id: old });
    expect(await states()).toEqual([
      ["alice", true, false],
      ["bob", true, false],
      ["alice", false, true],
      ["root", true, true],
    ]);
  });

  test("are paged", async () => {
    await using forge = await reviewable();
    for (const body of ["one", "two", "three"]) await forge.as("alice").review({ ...pull, event: "COMMENT", body });
    const second = await call(forge, "GET", `${reviews}?limit=2&page=2`, { token: forge.as("bot").token });
    expect([second.json.map((one: ApiReview) => one.body), second.headers.get("x-total-count")]).toEqual([
      ["three"],
      "3",
    ]);
  });
});
