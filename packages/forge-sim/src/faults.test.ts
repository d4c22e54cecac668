import { describe, expect, test } from "bun:test";
import { call, failure, startScene, widgets } from "./testing/scene.ts";

const comments = "/repos/acme/widgets/issues/1/comments";

describe("faults on request", () => {
  test("a dropped reply leaves the change made and the asker without an answer", async () => {
    await using forge = await startScene();
    const alice = forge.as("alice");
    await alice.createIssue({ ...widgets, title: "a" });
    const fault = forge.faults.dropReply({ method: "POST", path: /\/comments$/ });
    const lost = await failure(alice.comment({ ...widgets, number: 1, body: "once" }));
    expect(lost).toContain("socket connection was closed");
    expect(forge.comments("acme/widgets", 1).map((one) => one.body)).toEqual(["once"]);
    expect(fault.hits).toBe(1);
    await alice.comment({ ...widgets, number: 1, body: "twice" });
    expect(forge.comments("acme/widgets", 1)).toHaveLength(2);
    const posts = forge.requests().filter((one) => one.path.endsWith("/comments"));
    expect(posts.map((one) => [one.method, one.user, one.status, one.replyDropped])).toEqual([
      ["POST", "alice", 201, true],
      ["POST", "alice", 201, false],
    ]);
  });

  test("a failure changes nothing, as often as asked", async () => {
    await using forge = await startScene();
    const alice = forge.as("alice");
    await alice.createIssue({ ...widgets, title: "a" });
    forge.faults.fail({ method: "POST", path: comments, status: 502, times: 2, body: "bad gateway" });
    const post = () => call(forge, "POST", comments, { token: alice.token, body: { body: "x" } });
    expect((await post()).text).toBe("bad gateway");
    expect([(await post()).status, (await post()).status]).toEqual([502, 201]);
    expect(forge.comments("acme/widgets", 1)).toHaveLength(1);
  });

  test("a hold keeps a request until it is let go; another method passes", async () => {
    await using forge = await startScene();
    const alice = forge.as("alice");
    await alice.createIssue({ ...widgets, title: "a" });
    const hold = forge.faults.hold({ method: "POST", path: comments });
    const held = alice.comment({ ...widgets, number: 1, body: "late" });
    await hold.reached;
    expect((await call(forge, "GET", comments, { token: alice.token })).json).toEqual([]);
    hold.remove();
    expect((await held).body).toBe("late");
  });

  test("a fault that was taken away does not strike; a delay lets the call through", async () => {
    await using forge = await startScene();
    forge.faults.fail({ path: "/user", status: 500 }).remove();
    const delay = forge.faults.delay({ path: "/user", ms: 1 });
    expect((await call(forge, "GET", "/user", { token: forge.as("bob").token })).status).toBe(200);
    expect(delay.hits).toBe(1);
  });
});
