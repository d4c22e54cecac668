import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { outputText, succeeded } from "../domain/process.ts";
import { createGit } from "./git.ts";

describe("git on the service's own repositories", () => {
  let folder: string;
  const git = createGit();
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "git-"));
    await git(["init", "--quiet", "--bare", join(folder, "a.git")]);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("knows no configuration of the machine's or the user's", async () => {
    const shown = outputText(await git(["config", "--list", "--show-scope"]));
    expect(shown).toContain("core.hookspath=/dev/null");
    expect(shown).not.toMatch(/^(system|global)\s/m);
  });

  test("has the credential for one server, in its environment only", async () => {
    const authorization = { url: "https://forge.example/o/r.git", header: "Basic abc" };
    const header = async (url: string) =>
      outputText(await git(["config", "--get-urlmatch", "http.extraHeader", url], { authorization })).trim();
    expect(await header("https://forge.example/o/other.git")).toBe("Authorization: Basic abc");
    expect(await header("https://forge.example.evil/o/r.git")).toBe("");
    expect(await header("http://forge.example/o/r.git")).toBe("");
    expect(outputText(await git(["config", "--list"]))).not.toContain("extraheader");
  });

  test.each(["ext::touch marker", "ssh://host/x", "git://host/x", "file:///tmp/x", "/tmp/x"])(
    "does not talk to %s",
    async (url) => {
      const result = await git(["ls-remote", url.replace("marker", join(folder, "marker"))]);
      expect(result.stderr).toContain("not allowed");
      expect(existsSync(join(folder, "marker"))).toBe(false);
    },
  );

  test("asks nobody for a password", async () => {
    using forge = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => new Response("", { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } }),
    });
    const result = await git(["ls-remote", `http://127.0.0.1:${forge.port}/x.git`]);
    expect(succeeded(result)).toBe(false);
    expect(result.end).toBe("exited");
  });
});
