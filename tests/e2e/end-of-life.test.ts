import { expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SessionFileContent, SessionReset } from "@claude-hooks/api";
import { Client } from "../../apps/cli/src/client.ts";
import { assignIssue, commitOf, devScript, receipts, says, sh, widgets } from "./play.ts";
import { until } from "./until.ts";
import { openWorld, repository, type World } from "./world.ts";

const laneDir = ({ stateDir }: World): string => {
  const [slot] = readdirSync(join(stateDir, "lanes")).filter((name) => /^[1-9]\d*$/.test(name));
  return join(stateDir, "lanes", slot ?? "none");
};

/** What the lane's checkout holds; nothing where it is gone. */
function checkout(world: World): string[] {
  try {
    return readdirSync(join(laneDir(world), "checkout"));
  } catch {
    return [];
  }
}

const checkoutGone = (world: World): Promise<true> =>
  until("the checkout to be gone", async () => (checkout(world).length === 0 ? true : null));

function git(world: World, ...args: string[]): string {
  const mirror = join(world.stateDir, "mirrors", `main-${world.forge.repositoryId(repository)}.git`);
  const env = {
    PATH: "/usr/bin:/bin",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "safe.directory",
    GIT_CONFIG_VALUE_0: "*",
  };
  return Bun.spawnSync(["git", `--git-dir=${mirror}`, ...args], { env })
    .stdout.toString()
    .trim();
}

const savedRefs = (world: World, kind: "saved" | "put-back"): string[] =>
  git(world, "for-each-ref", "--format=%(refname)", "refs/claude-hooks")
    .split("\n")
    .filter((ref) => ref.includes(`/${kind}/`));

/** The first run commits a, and leaves a changed and a new file; the second one commits what it finds. */
const script = devScript(
  {
    when: { prompt: "Implement issue #1 of acme/widgets" },
    steps: [
      commitOf("a.txt", "Add a"),
      {
        tools: [sh("echo draft > draft.txt; echo more >> README.md; echo cache > x.o")],
      },
      says("Added a."),
    ],
  },
  {
    when: { prompt: "go on" },
    steps: [{ tools: [sh("git add -A && git commit -q -m 'Go on' && git show --stat HEAD")] }, says("Went on.")],
  },
);

test("a closed issue's checkout goes with its work saved; reopened, the session resumes with the work put back", async () => {
  await using world = await openWorld({ script, files: { "README.md": "# Widgets\n", ".gitignore": "*.o\n" } });
  const service = await world.start();
  const number = await assignIssue(world.forge, "Add a");
  const [first] = await service.finished(1);
  expect(checkout(world)).toContain("draft.txt");

  await world.forge.as("alice").closeIssue({ ...widgets, number });
  await checkoutGone(world);
  const [ref, ...more] = savedRefs(world, "saved");
  expect(more).toEqual([]);
  expect(git(world, "show", `${ref}:draft.txt`)).toBe("draft");
  expect(git(world, "ls-tree", "--name-only", ref!).split("\n")).not.toContain("x.o");

  await world.forge.as("alice").reopenIssue({ ...widgets, number });
  await world.forge.as("alice").comment({ ...widgets, number, body: "@dev-bot go on" });
  const [, second] = await service.finished(2);
  expect(second).toMatchObject({ outcome: "succeeded", session: first!.session, commits: 1 });
  expect(second!.start).toStartWith("resumed");
  const head = world.forge.branchHead(repository, "dev/1");
  expect(git(world, "show", "--stat", "--format=%s", head!)).toMatch(/^Go on[^]*README.md[^]*draft.txt/);
  expect(savedRefs(world, "saved")).toEqual([]);
  expect(savedRefs(world, "put-back")).toHaveLength(1);
  const told = await until("the receipt to tell of it", async () => {
    const [receipt] = receipts(world.forge, number);
    return receipt?.body.includes("2 uncommitted changes that were saved with the last checkout are back")
      ? true
      : null;
  });
  expect(told).toBe(true);
}, 60_000);

const twoTurns = devScript(
  { when: { prompt: "Implement issue #1 of acme/widgets" }, steps: [commitOf("a.txt", "Add a"), says("Added a.")] },
  { when: { prompt: "go on" }, repeat: true, steps: [commitOf("b.txt", "Add b"), says("Added b.")] },
);
const logged = (service: { log: string }, text: string): Promise<true> =>
  until(
    `"${text}" in the log`,
    async () => (service.log.includes(text) ? true : null),
    () => service.log.slice(-3_000),
  );

test("an issue that was closed while the service was down loses its checkout at the next start, once the forge answers", async () => {
  await using world = await openWorld({ script: twoTurns });
  const before = await world.start();
  const number = await assignIssue(world.forge, "Add a");
  await before.finished(1);
  await before.stop();
  await world.forge.as("alice").closeIssue({ ...widgets, number });

  const down = world.forge.faults.fail({ method: "GET", path: /\/issues\/\d+$/, times: 1_000, status: 503 });
  const without = await world.start();
  await logged(without, "the forge cannot be asked what is closed; not now");
  await without.stop();
  expect(checkout(world)).toContain("a.txt");
  down.remove();

  await world.start();
  await checkoutGone(world);
  expect(savedRefs(world, "saved")).toEqual([]);
}, 90_000);

test("sessions of an earlier system are resumed after the start that finds their file", async () => {
  await using world = await openWorld({ script: twoTurns });
  const before = await world.start();
  const number = await assignIssue(world.forge, "Add a");
  const [first] = await before.finished(1);
  const client = new Client(join(world.stateDir, "api.sock"));
  const exported = await client.get("/session-file", SessionFileContent);
  expect(Object.keys(exported)).toEqual(["dev:acme/widgets#1"]);
  const lane = encodeURIComponent("dev:acme/widgets#1");
  expect(await client.send("DELETE", `/sessions/${lane}`, SessionReset)).toMatchObject({ dropped: true });
  await before.stop();
  const path = join(world.stateDir, "sessions.json");
  writeFileSync(
    path,
    JSON.stringify({ "dev:acme/widgets:1": exported["dev:acme/widgets#1"], "dev:acme/widgets#2": "bare" }),
  );

  const service = await world.start();
  await world.forge.as("alice").comment({ ...widgets, number, body: "@dev-bot go on" });
  expect((await service.finished(2))[1]).toMatchObject({
    session: first!.session,
    start: expect.stringContaining("resumed"),
  });
  expect(readdirSync(world.stateDir).filter((name) => name.startsWith("sessions.json"))).toEqual([
    expect.stringMatching(/^sessions\.json\.imported-\d{4}-\d\d-\d\d$/),
  ]);
}, 90_000);

test("a maximum age counts as soon as it is written, and a broken configuration leaves it as it was", async () => {
  await using world = await openWorld({ script: twoTurns });
  const service = await world.start();
  const number = await assignIssue(world.forge, "Add a");
  const [first] = await service.finished(1);
  const path = join(world.folder, "agents.json");
  const config = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify({ ...config, session_max_age_ms: "a day" }));
  await logged(service, "the configuration has faults: the values of before stay in force");
  expect(service.log).toContain("session_max_age_ms: expected milliseconds");
  await world.forge.as("alice").comment({ ...widgets, number, body: "@dev-bot go on" });
  const [, second] = await service.finished(2);
  expect(second).toMatchObject({ session: first!.session, start: expect.stringContaining("resumed") });

  writeFileSync(path, JSON.stringify({ ...config, session_max_age_ms: 1 }));
  process.kill(service.pid, "SIGHUP");
  await logged(service, "the configuration was read again");
  await world.forge.as("alice").comment({ ...widgets, number, body: "@dev-bot go on" });
  const [, , third] = await service.finished(3);
  expect(third!.start).toContain("the session expired");
}, 90_000);
