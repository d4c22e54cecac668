import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunDetail } from "@claude-hooks/api";
import type { ScriptedAgent } from "@claude-hooks/model-sim";
import { assignIssue, receipts, says, sh, widgets } from "../e2e/play.ts";
import { openWorld, repository, type World } from "../e2e/world.ts";
import { hostileGit, hostileRepository } from "./configuration.ts";
import { openTrap, type Trap } from "./trap.ts";

const commit = (file: string): string => `echo ${file} > ${file}; git add ${file}; git commit -q -m 'Add ${file}'`;
const forgeTree = `
config=$(printf '[core]\\n\\tfsmonitor = touch /tmp/x\\n' | git hash-object -w --stdin)
inner=$(printf '100644 blob %s\\tconfig\\n' $config | git mktree)
outer=$( (git ls-tree HEAD; printf '040000 tree %s\\t.git\\n' $inner) | git mktree)
git reset -q --soft $(git commit-tree -p HEAD -m 'Add nothing special' $outer)`;
const makeRefs = `
${commit("wanted")}
git tag v9; git tag -a -m x v10; git branch other; git branch dev/999; git branch -f main
git update-ref refs/remotes/origin/main HEAD; git update-ref refs/pull/1/head HEAD
git push -q origin HEAD:main HEAD:other v9; git push -q --mirror /mirror.git; true`;
const startAnew = `
branch=$(git branch --show-current)
git checkout -q --orphan fresh; git commit -q -m 'Start anew'; git branch -f $branch; git checkout -q $branch`;

interface Deed {
  title: string;
  /** What the agent runs in its first run, and in its second, where there is one. */
  scripts: [string, string?];
}

/** By the name of the file with the script; \`marks\` and \`port\` are where commands that run outside a jail show. */
const deedsFor = (marks: string, port: number) =>
  ({
    innocent: { title: "Work beside hostile settings", scripts: [commit("innocent")] },
    config: {
      title: "Write a hostile configuration",
      scripts: [`${commit("first")}\n${hostileGit(marks, port)}`, commit("second")],
    },
    refs: { title: "Make tags and branches", scripts: [makeRefs] },
    orphan: { title: "Start a history of its own", scripts: [startAnew] },
    amend: {
      title: "Amend what is published",
      scripts: [commit("published"), "echo x > published; git commit -q -a --amend -m 'Add something else'"],
    },
    tree: { title: "Forge a tree", scripts: [forgeTree] },
    pointer: {
      title: "Point the checkout elsewhere",
      scripts: [`${commit("lost")}; mv .git ~/git; echo 'gitdir: /mirror.git' > .git`],
    },
  }) satisfies Record<string, Deed>;
type DeedName = keyof ReturnType<typeof deedsFor>;

function agentFor([name, { title, scripts }]: [string, Deed]): ScriptedAgent {
  const turns = scripts.map((_, index) => ({ steps: [{ tools: [sh(`bash ${name}-${index}.sh`)] }, says("Done.")] }));
  return { name, match: { prompt: title }, turns };
}

const opened = new AsyncDisposableStack();
/** Where commands leave marks if they run outside a jail. */
let marks: string;
let marksOutside: string[] = [];
let trap: Trap;
let world: World;
let mainBefore: string | undefined;
const issues = new Map<string, number>();
let runs: RunDetail[] = [];

beforeAll(async () => {
  marks = await mkdtemp(join(tmpdir(), "claude-hooks-marks-"));
  opened.defer(() => rm(marks, { recursive: true }));
  await chmod(marks, 0o777);
  trap = opened.use(await openTrap());
  const deeds: [string, Deed][] = Object.entries(deedsFor(marks, trap.port));
  const scripts = deeds.flatMap(([name, deed]) =>
    deed.scripts.map((script, index) => [`${name}-${index}.sh`, script ?? ""]),
  );
  const files = { ...hostileRepository(marks, trap.port), ...Object.fromEntries(scripts) };
  world = opened.use(await openWorld({ script: { name: "hostile", agents: deeds.map(agentFor) }, files }));
  mainBefore = world.forge.branchHead(repository, "main");
  const service = await world.start();
  for (const [name, { title }] of deeds) issues.set(name, await assignIssue(world.forge, title));
  await service.finished(deeds.length);
  const twice = deeds.filter(([, deed]) => deed.scripts.length === 2);
  for (const [name] of twice)
    await world.forge.as("alice").comment({ ...widgets, number: issueOf(name), body: "@dev-bot go on" });
  runs = await service.finished(deeds.length + twice.length);
  marksOutside = await readdir(marks);
}, 110_000);
afterAll(() => opened.disposeAsync(), 60_000);

function issueOf(deed: string): number {
  const number = issues.get(deed);
  if (number === undefined) throw new Error(`there is no issue for ${deed}`);
  return number;
}

const endsOf = (deed: DeedName): (string | null)[] =>
  runs.filter(({ thread }) => thread === `${repository}#${issueOf(deed)}`).map(({ failure }) => failure);
const receiptOf = (deed: DeedName): string =>
  receipts(world.forge, issueOf(deed))
    .map(({ body }) => body)
    .join("\n");

async function git(...args: string[]): Promise<string> {
  const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: marks };
  const child = Bun.spawn(["git", ...args], { env, stdio: ["ignore", "pipe", "ignore"] });
  return (await new Response(child.stdout).text()).trim();
}
const onForge = (...args: string[]): Promise<string> => git(`--git-dir=${world.forge.dir}/${repository}.git`, ...args);
const branchOf = (deed: DeedName): string => `dev/${issueOf(deed)}`;

async function marksInside(deed: DeedName): Promise<string[]> {
  const folders = ["home", "checkout"].map((name) => join(world.stateDir, "lanes", laneOf(deed), name));
  const names = await Promise.all(folders.map((folder) => readdir(folder)));
  return names.flat().filter((name) => name.startsWith("mark-"));
}

/** The lane whose checkout is on the deed's branch. */
function laneOf(deed: DeedName): string {
  const lanes = join(world.stateDir, "lanes");
  const head = `ref: refs/heads/${branchOf(deed)}\n`;
  const lane = readdirSync(lanes).find((name) => {
    const file = join(lanes, name, "checkout/.git/HEAD");
    return existsSync(file) && readFileSync(file, "utf8") === head;
  });
  if (lane === undefined) throw new Error(`no lane is on ${branchOf(deed)}`);
  return lane;
}

test("the repository's settings, hooks, MCP servers and filters run nothing when an agent starts, and send it nowhere", async () => {
  expect(endsOf("innocent")).toEqual([null]);
  expect(await onForge("show", `${branchOf("innocent")}:innocent`)).toBe("innocent");
  // They lay there, and the agent's own git would have run the filter.
  expect(await onForge("show", `${branchOf("innocent")}:.claude/settings.json`)).toContain("SessionStart");
  expect(await marksInside("innocent")).toEqual([]);
  expect(world.model.requests().filter(({ kind }) => kind !== "scripted")).toEqual([]);
});

test("what an agent writes into .git runs in its jail alone, and its branch reaches the forge, twice", async () => {
  expect(endsOf("config")).toEqual([null, null]);
  expect(await marksInside("config")).toEqual(expect.arrayContaining(["mark-fsmonitor", "mark-hook-pre-commit"]));
  expect(await onForge("log", "--format=%s", `main..${branchOf("config")}`)).toBe("Add second\nAdd first");
});

test("nothing of it has run outside of a jail, or connected to where it points", async () => {
  expect(marksOutside).toEqual([]);
  expect(trap.hits()).toBe(0);
});

test("the same checkout would have left its marks, had anybody used git in it out here", async () => {
  const checkout = join(world.stateDir, "lanes", laneOf("config"), "checkout");
  await git("-c", "safe.directory=*", "-C", checkout, "status");
  expect(await readdir(marks)).toContain("fsmonitor");
});

test("tags, other branches and a moved base stay where they were made", async () => {
  expect(endsOf("refs")).toEqual([null]);
  const published = (["innocent", "config", "refs", "amend"] as const).map((deed) => `refs/heads/${branchOf(deed)}`);
  const refs = (await onForge("for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags")).split("\n");
  expect(refs).toEqual([...published, "refs/heads/main"].toSorted());
  expect(world.forge.branchHead(repository, "main")).toBe(mainBefore ?? "");
  expect(await onForge("log", "--format=%s", `main..${branchOf("refs")}`)).toBe("Add wanted");
});

const refusals: [deed: DeedName, ends: (RegExp | null)[]][] = [
  ["orphan", [/no history in common with "main"/]],
  ["amend", [null, /history of "dev\/\d+" was rewritten/]],
  ["tree", [/objects are not sound[^]*contains '\.git'/]],
  ["pointer", [/has no branch "dev\/\d+" any more/]],
];
test.each(refusals)("%s: the branch is refused, and the receipt says why", (deed, ends) => {
  const failures = endsOf(deed);
  expect(failures).toEqual(ends.map((end) => (end === null ? null : expect.stringMatching(end))));
  const last = ends.at(-1) ?? /never/;
  expect(receiptOf(deed)).toMatch(/was not published/);
  expect(receiptOf(deed)).toMatch(last);
  expect(receiptOf(deed)).toContain("Mention the agent in a comment to try again");
});

test("a branch that is refused stays on the forge as it was", async () => {
  expect(await onForge("log", "--format=%s", `main..${branchOf("amend")}`)).toBe("Add published");
});
