import { describe, expect, test } from "bun:test";
import { startForge } from "@claude-hooks/forge-sim";
import { ForgeError } from "../../domain/forge.ts";
import type { ForgeId } from "../../domain/ids.ts";
import { forges } from "../registry.ts";
import { type ForgeUnderTest, forgeContract } from "../testing/contract.ts";

const forge = "home" as ForgeId;
const scopes = ["write:repository", "write:issue", "read:user"] as const;

async function forgejoUnderTest(): Promise<ForgeUnderTest> {
  const sim = await startForge({
    users: ["owner", "bot", "reader", "outsider"],
    repos: [
      {
        owner: "owner",
        name: "widgets",
        private: true,
        files: { "README.md": "# widgets\n" },
        collaborators: { bot: "write", reader: "read" },
        labels: [{ name: "bug" }],
      },
    ],
  });
  const at = { owner: "owner", repo: "widgets" };
  const issue = await sim.as("owner").createIssue({ ...at, title: "Crash", assignees: ["bot"], labels: ["bug"] });
  return {
    connect: (login, { token, timeoutMs } = {}) =>
      forges.forgejo.connect({
        forge,
        baseUrl: sim.url,
        login,
        token: token ?? sim.createToken(login, { scopes }),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      }),
    repositoryId: sim.repositoryId("owner/widgets"),
    repository: "owner/widgets",
    issue: { number: issue.number, title: "Crash", label: "bug" },
    push: (branch) =>
      sim.as("bot").push({ ...at, branch, from: "main", message: branch, files: { [`${branch}.txt`]: branch } }),
    loseReply: (method) => void sim.faults.dropReply({ method }),
    answerNext: (status) => void sim.faults.fail({ status }),
    review: async (number, { body, path, remark }) => {
      const comments = [{ path, body: remark, new_position: 1 }];
      await sim.as("owner").review({ ...at, number, event: "REQUEST_CHANGES", body, comments });
    },
    hang: () => void sim.faults.hold({}),
    archive: () => sim.archive("owner/widgets"),
    [Symbol.asyncDispose]: () => sim[Symbol.asyncDispose](),
  };
}

describe("Forgejo keeps the contract of a forge: it", () => {
  forgeContract(forgejoUnderTest);
});

/** A server that answers every request by `answer`, and what it was asked. */
function answering(answer: (request: Request) => Response | Promise<Response>) {
  const asked: { url: string; authorization: string | null }[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      asked.push({ url: request.url, authorization: request.headers.get("Authorization") });
      return answer(request);
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  const token = "s3cret-t0ken";
  const connect = (path = "") => forges.forgejo.connect({ forge, baseUrl: `${url}${path}`, login: "bot", token });
  return { url, asked, token, connect, [Symbol.asyncDispose]: () => server.stop(true) };
}

const fault = async (work: Promise<unknown>): Promise<ForgeError> => {
  const error = await work.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ForgeError);
  return error as ForgeError;
};

describe("Forgejo's client", () => {
  test("keeps the token from a host that a redirect names", async () => {
    await using other = answering(() => Response.json({ id: 1, login: "bot" }));
    await using home = answering(() => Response.redirect(`${other.url}/api/v1/user`, 302));
    const error = await fault(home.connect().currentUser());
    expect(error.kind).toBe("unexpected-answer");
    expect(error.message).toContain("ROOT_URL");
    expect(other.asked).toEqual([]);
  });

  test("keeps the token from another application below the same host", async () => {
    await using home = answering(() => new Response(null, { status: 302, headers: { Location: "/blog/" } }));
    expect((await fault(home.connect("/forgejo").currentUser())).kind).toBe("unexpected-answer");
    expect(home.asked.map(({ url }) => new URL(url).pathname)).toEqual(["/forgejo/api/v1/user"]);
  });

  test("follows the redirect of a renamed repository, writes too", async () => {
    const bodies: unknown[] = [];
    const user = { id: 4, login: "bot" };
    const at = "2026-07-01T10:00:00+02:00";
    await using home = answering(async (request) => {
      if (request.url.includes("/old/"))
        return new Response(null, { status: 307, headers: { Location: request.url.replace("/old/", "/new/") } });
      bodies.push(await request.json());
      return Response.json(
        { id: 9, body: "hello", user, html_url: "u", created_at: at, updated_at: at },
        { status: 201 },
      );
    });
    const comment = await home.connect().createComment("old/widgets", 3, "hello");
    expect(comment).toMatchObject({ id: 9, updatedAt: Date.UTC(2026, 6, 1, 8) });
    expect(bodies).toEqual([{ body: "hello" }]);
  });

  test("does not go round in redirects", async () => {
    await using home = answering((request) => new Response(null, { status: 302, headers: { Location: request.url } }));
    expect((await fault(home.connect().currentUser())).kind).toBe("unexpected-answer");
    expect(home.asked).toHaveLength(4);
  });

  test("tells how long a forge asks to wait, in seconds or by a date", async () => {
    let headers: Record<string, string> = { "Retry-After": "7" };
    await using home = answering(() => new Response(null, { status: 429, headers }));
    expect((await fault(home.connect().currentUser())).retryAfterMs).toBe(7000);
    headers = { Date: "Wed, 01 Jul 2026 10:00:00 GMT", "Retry-After": "Wed, 01 Jul 2026 10:00:30 GMT" };
    expect((await fault(home.connect().currentUser())).retryAfterMs).toBe(30_000);
    headers = { "Retry-After": "soon" };
    expect((await fault(home.connect().currentUser())).retryAfterMs).toBeNull();
  });

  test("repeats one short line of what the forge said, never a token in it", async () => {
    await using home = answering((request) =>
      Response.json(
        { message: `no\u001b[31m\n ${request.headers.get("Authorization")} ${"x".repeat(900)}` },
        { status: 403 },
      ),
    );
    const error = await fault(home.connect().currentUser());
    expect(error.message).toContain('"no [31m token *** xxx');
    expect(error.message.length).toBeLessThan(600);
    expect(Bun.inspect(error)).not.toContain(home.token);
  });

  test("calls a page of another kind an unexpected answer, and says where it differs", async () => {
    let body = "<html>sign in</html>";
    await using home = answering(() => new Response(body));
    expect((await fault(home.connect().currentUser())).message).toContain("is not JSON");
    body = JSON.stringify({ id: "four", login: "bot" });
    const error = await fault(home.connect().currentUser());
    expect(error).toMatchObject({ kind: "unexpected-answer", ambiguous: false });
    expect(error.message).toContain("at id:");
    expect(await fault(home.connect().createComment("a/b", 1, "x"))).toMatchObject({ ambiguous: true });
  });

  test("stops reading an answer without end", async () => {
    const mebibyte = new Uint8Array(1024 * 1024).fill(32);
    await using home = answering(
      () => new Response(new ReadableStream({ pull: (controller) => controller.enqueue(mebibyte) })),
    );
    expect((await fault(home.connect().currentUser())).message).toContain("more than");
  });

  test("knows that a request which reached nobody was not carried out", async () => {
    const home = answering(() => new Response());
    await home[Symbol.asyncDispose]();
    const error = await fault(home.connect().createComment("a/b", 1, "x"));
    expect(error).toMatchObject({ kind: "unavailable", ambiguous: false });
    expect(error.message).toContain("could not connect");
  });

  test("does not take a closed pull request or another base for the one it looks for", async () => {
    const branch = (ref: string) => ({ label: ref, ref, sha: "a".repeat(40), repo_id: 1 });
    const pull = (id: number, state: string, head: object, base: string) => ({
      id,
      number: id,
      title: "t",
      body: "",
      user: null,
      state,
      labels: null,
      assignees: null,
      merged: false,
      html_url: `u/${id}`,
      head,
      base: branch(base),
      created_at: "2026-07-01T10:00:00Z",
      updated_at: "2026-07-01T10:00:00Z",
    });
    const pulls = [
      pull(1, "closed", branch("bot/1"), "main"),
      pull(2, "open", branch("bot/1"), "develop"),
      pull(3, "open", { ...branch("bot/1"), repo_id: 2, repo: { owner: { login: "mallory" } } }, "main"),
    ];
    await using home = answering(() => Response.json(pulls));
    expect(await home.connect().findPullRequest("a/b", "main", "bot/1")).toBeNull();
    expect(await home.connect().findPullRequest("a/b", "develop", "bot/1")).toMatchObject({ number: 2 });
  });

  test("refuses to read a list without end", async () => {
    let id = 0;
    const at = "2026-07-01T10:00:00Z";
    await using home = answering(() =>
      Response.json([{ id: (id += 1), body: "", user: null, html_url: "", created_at: at, updated_at: at }]),
    );
    expect((await fault(home.connect().comments("a/b", 1))).message).toContain("more than");
    expect(home.asked).toHaveLength(100);
  });

  test("gives git the token as a password, and as nothing else", () => {
    const client = forges.forgejo.connect({ forge, baseUrl: "http://127.0.0.1/", login: "bot", token: "t0" });
    const [scheme, value = ""] = client.gitAuthorization().split(" ");
    expect(scheme).toBe("Basic");
    expect(atob(value)).toEndWith(":t0");
    expect(client.webUrl).toBe("http://127.0.0.1");
    expect(Bun.inspect(client)).not.toContain("t0");
  });
});
