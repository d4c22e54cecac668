import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readTranscriptFolder } from "./transcripts-folder.ts";

const session = "5e551011-0000-4000-8000-000000000001";
const wanted = { projectKey: "-repo", session, maxBytes: 10_000 };
const said = (uuid: string) => ({ type: "user", uuid });
const text = (...uuids: string[]) => uuids.map((uuid) => `${JSON.stringify(said(uuid))}\n`).join("");

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "transcripts-"));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const read = (changes: Partial<typeof wanted> = {}) =>
  readTranscriptFolder({ parent, name: ".claude" }, { ...wanted, ...changes });
async function put(path: string, content: string): Promise<string> {
  const file = join(parent, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}
const main = `.claude/projects/-repo/${session}.jsonl`;
const sub = `.claude/projects/-repo/${session}/subagents/agent-1`;

test("a session's lines and its sub-agents' are read, without what was cut off, and no other session's", async () => {
  await put(main, `${text("a", "b")}{"type":"user","uu`);
  await put(`${sub}.jsonl`, text("s"));
  await put(`${sub}.meta.json`, '{"agentType":"general"}');
  await put(".claude/projects/-repo/another.jsonl", text("x"));
  await put(`.claude/projects/-repo/${session}/notes.txt`, "x");
  expect(await read()).toEqual([
    { subpath: "", lines: [said("a"), said("b")] },
    { subpath: "subagents/agent-1", lines: [said("s"), { type: "agent_metadata", agentType: "general" }] },
  ]);
});

test("what is not there is nothing", async () => {
  expect(await read()).toEqual([]);
  await put(".claude/settings.json", "{}");
  expect(await read()).toEqual([]);
});

const linked = [
  ["the configuration folder", ".claude", `elsewhere/projects/-repo/${session}.jsonl`, "elsewhere"],
  ["the projects", ".claude/projects", `elsewhere/-repo/${session}.jsonl`, "elsewhere"],
  ["the project", ".claude/projects/-repo", `elsewhere/${session}.jsonl`, "elsewhere"],
  ["the transcript", main, "elsewhere/secret", "elsewhere/secret"],
  ["a sub-agent's transcript", `${sub}.jsonl`, "elsewhere/secret", "elsewhere/secret"],
  ["the folder of sub-agents", `.claude/projects/-repo/${session}/subagents`, "elsewhere/agent-1.jsonl", "elsewhere"],
] as const;
test.each(linked)("a link in place of %s is not followed", async (_, link, secret, target) => {
  await put(secret, text("a-secret-of-the-machine"));
  await mkdir(dirname(join(parent, link)), { recursive: true });
  await symlink(join(parent, target), join(parent, link));
  expect(await read()).toEqual([]);
});

test("a pipe in place of the transcript holds nobody up, and a folder is none", async () => {
  await mkdir(join(parent, ".claude/projects/-repo"), { recursive: true });
  Bun.spawnSync(["mkfifo", join(parent, main)]);
  expect(await read()).toEqual([]);
  await rm(join(parent, main));
  await mkdir(join(parent, main));
  expect(await read()).toEqual([]);
});

test("no more is read than is allowed, in all files together", async () => {
  const line = text("a").length;
  await put(main, text("a", "b", "c"));
  await put(`${sub}.jsonl`, text("s", "t"));
  expect((await read({ maxBytes: 2 * line })).map(({ lines }) => lines.length)).toEqual([2]);
  expect((await read({ maxBytes: 4 * line })).map(({ lines }) => lines.length)).toEqual([3, 1]);
});
