import { describe, expect, test } from "bun:test";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startForge } from "./index.ts";
import { Clone, cloneUrl } from "./testing/git.ts";
import { failure, openPull, startScene, widgets } from "./testing/scene.ts";

describe("git over HTTP", () => {
  test("clones and pushes with a token as the password, and a push is seen at once", async () => {
    await using forge = await startScene();
    const token = forge.createToken("bot", { scopes: ["write:repository"] });
    await using clone = await Clone.of(forge, token);
    // Over a megabyte git sends its pack in chunks.
    const sha = await clone.commit({ "big.bin": crypto.getRandomValues(new Uint8Array(60_000)), "a.txt": "a" });
    for (let at = 0; at < 30; at += 1)
      await Bun.write(`${clone.dir}/r${at}`, crypto.getRandomValues(new Uint8Array(60_000)));
    const head = await clone.commit({}, "thirty files");
    expect((await clone.git("push", "--quiet", "origin", "HEAD:agent/1")).code).toBe(0);
    expect(forge.branchHead("acme/widgets", "agent/1")).toBe(head);
    await using again = await Clone.of(forge, token);
    expect((await again.git("cat-file", "-t", sha)).stdout).toBe("commit");
    expect((await again.git("fsck", "--strict")).code).toBe(0);
  });

  test("speaks protocol 2, and reads a gzipped request", async () => {
    await using forge = await startScene();
    const response = await fetch(`${forge.url}/acme/widgets.git/git-upload-pack`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${forge.as("bob").token}`,
        "content-type": "application/x-git-upload-pack-request",
        "content-encoding": "gzip",
        "git-protocol": "version=2",
      },
      body: Bun.gzipSync("0014command=ls-refs\n0000"),
    });
    expect(response.headers.get("content-type")).toBe("application/x-git-upload-pack-result");
    expect(await response.text()).toContain(`${forge.branchHead("acme/widgets", "main")} refs/heads/main`);
  });

  test("is not held up by a push that was cut off", async () => {
    await using forge = await startScene();
    const { token } = forge.as("bot");
    const cut = new AbortController();
    const half = fetch(`${forge.url}/acme/widgets.git/git-receive-pack`, {
      method: "POST",
      headers: { authorization: `token ${token}`, "content-type": "application/x-git-receive-pack-request" },
      body: new ReadableStream({ start: (controller) => controller.enqueue("00") }),
      signal: cut.signal,
    });
    await using clone = await Clone.of(forge, token);
    await clone.commit({ a: "a" });
    cut.abort();
    expect(await failure(half)).toContain("abort");
    expect((await clone.git("push", "--quiet", "origin", "HEAD:after")).code).toBe(0);
  });

  test("asks for credentials with 401, and refuses those who may not with 403 or 404", async () => {
    await using forge = await startScene();
    const get = (full: string, service: string, token?: string) =>
      fetch(`${forge.url}/${full}.git/info/refs?service=${service}`, {
        headers: token ? { authorization: `Basic ${Buffer.from(`x:${token}`).toString("base64")}` } : {},
      });
    const anonymous = await get("acme/widgets", "git-upload-pack");
    expect([anonymous.status, anonymous.headers.get("www-authenticate")]).toEqual([401, 'Basic realm="Gitea"']);
    expect((await get("alice/open", "git-upload-pack")).status).toBe(200);
    expect((await get("alice/open", "git-receive-pack")).status).toBe(401);
    expect((await get("acme/widgets", "git-upload-pack", "nope")).status).toBe(401);
    const reader = forge.createToken("bob", { scopes: ["write:repository"] });
    expect((await get("acme/widgets", "git-upload-pack", reader)).status).toBe(200);
    expect((await get("acme/widgets", "git-receive-pack", reader)).status).toBe(403);
    const narrow = forge.createToken("bot", { scopes: ["read:repository"] });
    expect((await get("acme/widgets", "git-receive-pack", narrow)).status).toBe(403);
    expect((await get("acme/widgets", "git-upload-pack", forge.as("eve").token)).status).toBe(404);
    forge.archive("acme/widgets");
    expect((await get("acme/widgets", "git-receive-pack", forge.as("alice").token)).status).toBe(403);
  });

  test("moves the head of an open pull request, and refuses refs/pull", async () => {
    await using forge = await startScene();
    await openPull(forge.as("bot"));
    await using clone = await Clone.of(forge, forge.as("bot").token);
    await clone.git("checkout", "--quiet", "agent/1");
    const head = await clone.commit({ "two.txt": "2" });
    await clone.git("push", "--quiet", "origin", "agent/1");
    expect(forge.pullRequests("acme/widgets")[0]?.head.sha).toBe(head);
    expect((await clone.git("ls-remote", "origin", "refs/pull/1/head")).stdout).toStartWith(head);
    expect((await clone.git("push", "--quiet", "origin", "HEAD~1:refs/pull/1/head", "--force")).code).not.toBe(0);
  });

  test("refuses a stale lease", async () => {
    await using forge = await startScene();
    await using clone = await Clone.of(forge, forge.as("bot").token);
    await forge.as("alice").push({ ...widgets, branch: "main", message: "m", files: { x: "x" } });
    await clone.commit({ y: "y" });
    const push = await clone.git("push", "--quiet", "--force-with-lease", "origin", "HEAD:main");
    expect([push.code === 0, push.stderr.includes("stale info")]).toEqual([false, true]);
  });

  test("takes the first push to an empty repository for its default branch", async () => {
    await using forge = await startForge({ users: ["ann"], repos: [{ owner: "ann", name: "empty" }] });
    await using clone = await Clone.of(forge, forge.as("ann").token, "ann/empty");
    await clone.commit({ a: "a" });
    expect(
      (await clone.git("push", "--quiet", cloneUrl(forge, forge.as("ann").token, "ann/empty"), "HEAD:trunk")).code,
    ).toBe(0);
    const repo = await forge.as("ann").request<{ default_branch: string; empty: boolean }>("GET", "/repos/ann/empty");
    expect([repo.default_branch, repo.empty]).toEqual(["trunk", false]);
  });
});

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), "forge-sim-test-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

describe("startForge", () => {
  test("leaves nothing behind", async () => {
    const forge = await startForge({ repos: [{ owner: "a", name: "b", files: { x: "y" } }] });
    expect(await readdir(forge.dir)).toEqual(["a"]);
    await forge[Symbol.asyncDispose]();
    expect(await failure(readdir(forge.dir))).toContain("ENOENT");
    expect(await failure(fetch(forge.url))).toContain("Unable to connect");
  });

  test("takes a folder for the first commit, with its executable files", async () => {
    await using folder = await temporaryFolder();
    await Bun.write(join(folder.path, "src/a.ts"), "a\n");
    await Bun.write(join(folder.path, "node_modules/left/out.js"), "b\n");
    await Bun.write(join(folder.path, "run.sh"), "#!/bin/sh\n");
    await chmod(join(folder.path, "run.sh"), 0o755);
    const made = { owner: "ann", name: "made", folder: folder.path };
    await using forge = await startForge({ users: ["ann"], repos: [made] });
    await using clone = await Clone.of(forge, forge.as("ann").token, "ann/made");
    expect((await clone.git("ls-tree", "-r", "HEAD")).stdout.replaceAll(/[0-9a-f]{40}/g, "…")).toBe(
      "100755 blob …\trun.sh\n100644 blob …\tsrc/a.ts",
    );
  });

  test("keeps the folder that it was given to work in", async () => {
    await using folder = await temporaryFolder();
    const dir = join(folder.path, "repositories");
    const forge = await startForge({ dir, repos: [{ owner: "a", name: "b", files: { x: "y" } }] });
    await forge[Symbol.asyncDispose]();
    expect(await readdir(join(dir, "a"))).toEqual(["b.git"]);
  });

  test("says what is wrong with its options", async () => {
    const stranger = { owner: "a", name: "b", collaborators: { x: "read" } } as const;
    expect(await failure(startForge({ repos: [stranger] }))).toContain('no user x: name them in the option "users"');
    expect(await failure(startForge({ users: ["a", "A"] }))).toContain("named twice");
    expect(await failure(startForge({ repos: [{ owner: "a", name: "b", files: { "../x": "y" } }] }))).toContain("../x");
  });
});
