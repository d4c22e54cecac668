import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Forge, startForge } from "@claude-hooks/forge-sim";
import { testHead } from "./project-tests.ts";

let folder: string;
let forge: Forge;
const project = join(import.meta.dirname, "fixtures", "project");
const address = () => `${forge.url}/you/project.git`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "demo-project-"));
  forge = await startForge({ users: ["you"], repos: [{ owner: "you", name: "project", folder: project }] });
});
afterAll(async () => {
  await forge[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const head = () => forge.branchHead("you/project", "main") ?? "";

test("the project's tests are red until its issue is solved", async () => {
  expect(await testHead(address(), "main", head(), join(folder, "red"))).toEqual({
    passed: false,
    detail: "3 pass, 1 fail",
  });
});

test("tests see no network and no other file, and green ones pass", async () => {
  const probe = `
    import { existsSync } from "node:fs";
    import { expect, test } from "bun:test";
    test("inside", async () => {
      expect(existsSync(${JSON.stringify(folder)})).toBe(false);
      expect(await fetch(${JSON.stringify(forge.url)}).then(() => "reached", () => "not reached")).toBe("not reached");
    });`;
  const to = { owner: "you", repo: "project", branch: "probe", message: "Probe" };
  const sha = await forge.as("you").push({ ...to, files: { "test/slugify.test.ts": probe } });
  expect(await testHead(address(), "probe", sha, join(folder, "green"))).toEqual({
    passed: true,
    detail: "3 pass, 0 fail",
  });
});

test("a branch without any test, or at another commit, has not passed", async () => {
  const gone = { "test/slugify.test.ts": null, "test/links.test.ts": null };
  const to = { owner: "you", repo: "project", branch: "bare", message: "No tests" };
  const sha = await forge.as("you").push({ ...to, files: gone });
  expect(await testHead(address(), "bare", sha, join(folder, "bare"))).toMatchObject({ passed: false });
  expect(await testHead(address(), "bare", head(), join(folder, "other"))).toEqual({
    passed: false,
    detail: `the branch is at ${sha}, the pull request at ${head()}`,
  });
});
