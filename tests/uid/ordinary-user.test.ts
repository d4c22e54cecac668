import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assignIssue, devScript, receipts, says, sh, widgets } from "../e2e/play.ts";
import { openWorld, repository, type World, type WorldOptions } from "../e2e/world.ts";
import { rejection } from "../support/rejection.ts";
import { copyClone } from "./clone.ts";

const isRoot = process.getuid?.() === 0;
const own = process.getuid?.() ?? 0;
/** Of no user on the machine: what it may is what everybody may. */
const nobodyInParticular = 64_001;

let folder: string;
/** A clone, and the Bun to run it, in a folder of its own. */
let closed: string;
let program: readonly string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "claude-hooks-uid-"));
  await chmod(folder, 0o755);
  closed = join(folder, "home");
  await mkdir(closed);
  program = await copyClone(join(closed, "clone"));
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }), 60_000);

const commitIds = (file: string) => sh(`id -u > ${file} && git add -A && git commit -q -m 'Add ${file}'`);
const script = devScript(
  { steps: [{ tools: [commitIds("first")] }, says("The first is there.")] },
  { steps: [{ tools: [commitIds("second")] }, says("The second is there.")] },
);

interface Done {
  world: World;
  /** The user ids that the agent's shell told in its two commits. */
  agentIds: string[];
  uidSeparation: string | undefined;
  log: string;
}

/** Issue, pull request, a comment, the resumed session and its second commit. */
async function mainJob(options: Omit<WorldOptions, "script">, check: (done: Done) => Promise<void>): Promise<void> {
  await using world = await openWorld({ script, ...options });
  const service = await world.start();
  const number = await assignIssue(world.forge);
  const [first] = await service.finished(1);
  await world.forge.as("alice").comment({ ...widgets, number, body: "@dev-bot another one, please" });
  const [, second] = await service.finished(2);
  expect([first?.failure, second?.failure]).toEqual([null, null]);
  expect(second?.session).toBe(first?.session ?? "a session");
  expect(second?.start).toContain("resumed");
  expect(world.forge.pullRequests(repository)).toHaveLength(1);
  expect(receipts(world.forge, number)).toHaveLength(1);
  const agentIds = await Promise.all(
    ["first", "second"].map(async (file) => {
      const url = `${world.forge.url}/api/v1/repos/${repository}/raw/${file}?ref=${first!.branch}`;
      return (await (await fetch(url, { headers: { Authorization: `token ${world.secrets.service}` } })).text()).trim();
    }),
  );
  await check({ world, agentIds, uidSeparation: (await service.status()).jail["uid_separation"], log: service.log });
}

async function modesIn(path: string): Promise<string[]> {
  const names = (await readdir(path)).toSorted();
  return await Promise.all(
    names.map(async (name) => {
      const { mode, uid } = await stat(join(path, name));
      return `${name.split("-")[0]} ${(mode & 0o7777).toString(8)} of ${uid}`;
    }),
  );
}

test("an ordinary user's service does the main job, with agents that run as that user", async () => {
  await chmod(closed, 0o755);
  const who = isRoot ? nobodyInParticular : own;
  await mainJob(isRoot ? { uid: who, program } : { program }, async ({ world, agentIds, uidSeparation, log }) => {
    expect(agentIds).toEqual([String(who), String(who)]);
    expect(uidSeparation).toBe("no");
    expect(log).toContain(`started as user id ${who}`);
    expect(await modesIn(join(world.stateDir, "bin"))).toEqual([`claude 111 of ${who}`, `tini 111 of ${who}`]);
    expect((await stat(world.stateDir)).uid).toBe(who);
  });
}, 100_000);

test("the job is done with a clone in a folder that others may not enter", async () => {
  await chmod(closed, 0o700);
  await mainJob({ program }, async ({ world, agentIds, uidSeparation, log }) => {
    const bin = await modesIn(join(world.stateDir, "bin"));
    if (!isRoot) return expect(bin).toEqual([`claude 111 of ${own}`, `tini 111 of ${own}`]);
    expect(uidSeparation).toBe("yes");
    expect(log).toContain("started as root: every lane has a user id of its own");
    expect(bin).toEqual(["claude 711 of 0", "tini 711 of 0"]);
    expect(Number(agentIds[0])).toBeGreaterThan(200_000);
    expect(agentIds[1]).toBe(agentIds[0] ?? "");
  });
}, 100_000);

test("a state folder that agents cannot get to is said at start, where they have users of their own", async () => {
  const state_dir = join(closed, "below", "state");
  await chmod(closed, 0o700);
  await using world = await openWorld({ script, config: { state_dir } });
  if (!isRoot) return expect((await world.start()).log).toContain("started as user id");
  const { message } = await rejection(world.start());
  expect(message).toContain("exit code 1");
  expect(message).toContain(`The state folder ${state_dir} lies in ${closed}`);
  expect(message).toContain(`chmod o+x ${closed}`);
});
