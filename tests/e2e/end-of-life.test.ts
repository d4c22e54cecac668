import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
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
