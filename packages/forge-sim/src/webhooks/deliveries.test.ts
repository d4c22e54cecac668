import { describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { Receiver } from "../testing/receiver.ts";
import { call, everyEvent, openPull, startScene, widgets } from "../testing/scene.ts";

const hmac = (secret: string, body: Uint8Array) => createHmac("sha256", secret).update(body).digest("hex");

describe("webhooks", () => {
  test("carry the hex HMAC of their very bytes, one UUID and both names of the event", async () => {
    using receiver = new Receiver();
    await using forge = await startScene();
    const alice = forge.as("alice");
    await alice.createHook({ ...widgets, url: receiver.url, secret: "geheim", events: ["issues"] });
    const { number } = await alice.createIssue({ ...widgets, title: "<b> & so on" });
    await alice.assign({ ...widgets, number, assignees: ["bot"] });
    await forge.settled();
    const assigned = receiver.received.find((one) => one.eventType === "issue_assign")!;
    const signature = hmac("geheim", assigned.body);
    expect(assigned.headers["x-forgejo-signature"]).toBe(signature);
    expect(assigned.headers["x-hub-signature-256"]).toBe(`sha256=${signature}`);
    expect(assigned.headers["x-forgejo-event"]).toBe("issues");
    expect(assigned.headers["x-forgejo-delivery"]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f-]{18}[0-9a-f]{3}$/);
    expect(
      new Set(["forgejo", "gitea", "gogs", "github"].map((name) => assigned.headers[`x-${name}-delivery`])).size,
    ).toBe(1);
    const opened = receiver.received.find((one) => one.payload["action"] === "opened")!;
    expect(new TextDecoder().decode(opened.body)).toContain('"title": "\\u003cb\\u003e \\u0026 so on"');
  });

  test("without a secret come with empty signatures", async () => {
    using receiver = new Receiver();
    await using forge = await startScene();
    await forge.as("alice").createHook({ ...widgets, url: receiver.url, events: ["issues"] });
    await forge.as("alice").createIssue({ ...widgets, title: "a" });
    await forge.settled();
    expect(receiver.received[0]?.headers["x-forgejo-signature"]).toBe("");
    expect(receiver.received[0]?.headers["x-hub-signature-256"]).toBe("sha256=");
  });

  test("tell of a new issue as assigned, opened, labelled, in this order of making", async () => {
    await using forge = await startScene();
    using receiver = new Receiver();
    const alice = forge.as("alice");
    await alice.createHook({ ...widgets, url: receiver.url, secret: "s", events: ["issues"] });
    await alice.createIssue({ ...widgets, title: "a", assignees: ["bot", "alice"], labels: ["bug"] });
    await forge.settled();
    expect(forge.deliveries().map((one) => one.action)).toEqual(["assigned", "assigned", "opened", "label_updated"]);
    const payload = JSON.parse(new TextDecoder().decode(forge.deliveries()[0]!.body));
    expect(payload.issue.assignees.map((user: { login: string }) => user.login)).toEqual(["bot"]);
  });

  test("carry the full set of labels, and null for no assignee", async () => {
    await using forge = await startScene();
    using receiver = new Receiver();
    const alice = forge.as("alice");
    await alice.createHook({ ...widgets, url: receiver.url, secret: "s", events: ["issues"] });
    const { number } = await alice.createIssue({ ...widgets, title: "a", labels: ["bug"] });
    await alice.request("POST", `/repos/acme/widgets/issues/${number}/labels`, { labels: ["agent/ready"] });
    await forge.settled();
    const { issue } = JSON.parse(new TextDecoder().decode(forge.deliveries().at(-1)!.body));
    expect(issue.labels.map((label: { name: string }) => label.name)).toEqual(["agent/ready", "bug"]);
    expect(issue.assignees).toBeNull();
  });

  test("follow what a bot does by the API as well", async () => {
    await using forge = await startScene();
    using receiver = new Receiver();
    await forge.as("alice").createHook({ ...widgets, url: receiver.url, secret: "s", events: everyEvent });
    await openPull(forge.as("bot"));
    await forge.settled();
    const kinds = forge.deliveries().map((one) => one.eventType as string);
    expect(kinds).toEqual(["create", "push", "pull_request"]);
    expect(receiver.received.map((one) => (one.payload["sender"] as { login: string }).login)).toEqual([
      "bot",
      "bot",
      "bot",
    ]);
  });

  test("reach the hooks that are active and hear the kind, no others", async () => {
    await using forge = await startScene();
    using receiver = new Receiver();
    const alice = forge.as("alice");
    const hook = (events: string[], active = true) =>
      alice.createHook({ ...widgets, url: receiver.url, secret: "s", events, active });
    const family = await hook(["issues"]);
    const only = await hook(["issues_only"]);
    const comments = await hook(["issue_comment"]);
    await hook(["issues"], false);
    await hook(["push"]);
    const { number } = await alice.createIssue({ ...widgets, title: "a" });
    await alice.comment({ ...widgets, number, body: "b" });
    await forge.settled();
    const heard = (id: number) =>
      forge
        .deliveries()
        .filter((one) => one.hookId === id)
        .map((one) => one.eventType as string);
    expect(heard(family.id)).toEqual(["issues", "issue_comment"]);
    expect(heard(only.id)).toEqual(["issues"]);
    expect(heard(comments.id)).toEqual(["issue_comment"]);
    expect(forge.deliveries()).toHaveLength(4);
  });

  test("are tried once: a refusal, a dead address and silence stay failed", async () => {
    await using forge = await startScene({ deliveryTimeoutMs: 30 });
    using refusing = new Receiver(() => new Response("no", { status: 500 }));
    using silent = new Receiver(() => new Promise<Response>(() => {}));
    const alice = forge.as("alice");
    for (const url of [refusing.url, silent.url, "http://127.0.0.1:1/"]) {
      await alice.createHook({ ...widgets, url, secret: "s", events: ["issues"] });
    }
    await alice.createIssue({ ...widgets, title: "a" });
    await forge.settled();
    const [refused, timedOut, dead] = forge.deliveries();
    expect([refused?.state, refused?.status]).toEqual(["failed", 500]);
    expect(timedOut?.error).toContain("timed out");
    expect([dead?.state, dead?.status]).toEqual(["failed", undefined]);
    expect(refusing.received).toHaveLength(1);
    expect(forge.deliveries()).toHaveLength(3);
  });

  test("are replayed with the same bytes under a new UUID", async () => {
    await using forge = await startScene();
    using receiver = new Receiver();
    await forge.as("alice").createHook({ ...widgets, url: receiver.url, secret: "s", events: ["issues"] });
    await forge.as("alice").createIssue({ ...widgets, title: "a" });
    await forge.settled();
    const first = forge.deliveries()[0]!;
    const again = forge.redeliver(first.uuid);
    await forge.settled();
    expect(again.uuid).not.toBe(first.uuid);
    expect(again.replayOf).toBe(first.uuid);
    expect(Buffer.from(receiver.received[1]!.body).equals(first.body)).toBe(true);
    expect(receiver.received[1]!.headers["x-forgejo-delivery"]).toBe(again.uuid);
  });

  test("are lost on request, and the loss is recorded", async () => {
    await using forge = await startScene();
    using receiver = new Receiver();
    await forge.as("alice").createHook({ ...widgets, url: receiver.url, secret: "s", events: ["issues"] });
    const lost = forge.faults.dropDeliveries({ eventType: "issues", times: 1 });
    await forge.as("alice").createIssue({ ...widgets, title: "a", assignees: ["bot"] });
    await forge.as("alice").createIssue({ ...widgets, title: "b" });
    await forge.settled();
    expect(forge.deliveries().map((one) => `${one.action} ${one.state}`)).toEqual([
      "assigned delivered",
      "opened dropped",
      "opened delivered",
    ]);
    expect(lost.hits).toBe(1);
    expect(receiver.received).toHaveLength(2);
  });
});

describe("hooks", () => {
  const hooks = "/repos/acme/widgets/hooks";
  const make = {
    type: "forgejo",
    config: { url: "http://127.0.0.1:1/", content_type: "json", secret: "old" },
    events: ["issues"],
  };

  test("are inactive unless made active, and never tell their secret", async () => {
    await using forge = await startScene();
    const token = forge.as("alice").token;
    const made = await call(forge, "POST", hooks, { token, body: make });
    expect([made.status, made.json.active]).toEqual([201, false]);
    expect(made.json.events).toEqual(["issues", "issue_assign", "issue_label", "issue_milestone", "issue_comment"]);
    const list = await call(forge, "GET", hooks, { token });
    expect(list.json).toHaveLength(1);
    expect(made.text + list.text).not.toContain("old");
    expect((await call(forge, "DELETE", `${hooks}/${made.json.id}`, { token })).status).toBe(204);
    expect((await call(forge, "GET", `${hooks}/${made.json.id}`, { token })).status).toBe(404);
  });

  test("keep their secret through a PATCH, and lose their events to `push`", async () => {
    await using forge = await startScene();
    using receiver = new Receiver();
    const alice = forge.as("alice");
    const { id } = await alice.createHook({ ...widgets, url: receiver.url, secret: "old", events: ["issues"] });
    const body = { config: { url: `${receiver.url}2`, content_type: "json", secret: "new" } };
    const patched = await call(forge, "PATCH", `${hooks}/${id}`, { token: alice.token, body });
    expect([patched.status, patched.json.events, patched.json.active]).toEqual([200, ["push"], true]);
    await alice.push({ ...widgets, branch: "main", message: "m", files: { a: "a" } });
    await forge.settled();
    const { headers, body: sent } = receiver.received[0]!;
    expect(headers["x-forgejo-signature"]).toBe(hmac("old", sent));
  });

  test("are for administrators, and refused when malformed", async () => {
    await using forge = await startScene();
    const as = (login: string, body: unknown) => call(forge, "POST", hooks, { token: forge.as(login).token, body });
    expect((await as("bot", make)).status).toBe(403);
    expect((await as("alice", { ...make, type: "pigeon" })).json.message).toBe("Invalid hook type: pigeon");
    expect((await as("alice", { ...make, config: { url: "http://x/" } })).json.message).toBe(
      "Missing config option: content_type",
    );
    expect((await as("alice", { ...make, config: { url: "nowhere", content_type: "json" } })).status).toBe(422);
  });
});
