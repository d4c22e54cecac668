import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { openCheckout } from "./checkout.ts";
import { branch, World } from "./testing/world.ts";

describe("the checkout", () => {
  let world: World;
  beforeEach(async () => {
    world = await World.open();
  });
  afterEach(() => world[Symbol.dispose]());

  const commit = (file: string) =>
    world.agent(`echo ${file} > ${file}; git add -A; git commit -qm "add ${file}"; git rev-parse HEAD`);
  const look = () => world.agent("git rev-parse HEAD; git symbolic-ref --short HEAD; git status --porcelain");

  test("starts from the base branch, on the lane's own branch, with the agent's name", async () => {
    const main = await world.mirror.head("main");
    expect(await world.open()).toEqual({ path: "/repo", head: main!, base: main!, forgeHead: null, notes: [] });
    expect(await look()).toBe(`${main}\n${branch}`);
    await commit("mine");
    expect(await world.agent("git log -1 --format='%an <%ae>'")).toBe("Agent <agent@example.org>");
  });

  test("starts from the forge's branch where it is there already", async () => {
    const theirs = await world.commitOnForge(branch, "theirs", "1");
    await world.sync();
    expect(await world.open()).toMatchObject({ head: theirs, forgeHead: theirs, notes: [] });
  });

  test("is reused with what the set-up left in ignored files", async () => {
    await world.commitOnForge("main", ".gitignore", "built\n");
    await world.sync();
    await world.open();
    await world.agent("echo built > built");
    expect((await world.open()).notes).toEqual([]);
    expect(await world.agent("cat built")).toBe("built");
  });

  test("moves forward with the forge, and sees its other branches", async () => {
    await world.open();
    const theirs = await world.commitOnForge(branch, "theirs", "1");
    const main = await world.commitOnForge("main", "other", "2");
    await world.sync();
    const opened = await world.open();
    expect(opened).toMatchObject({ head: theirs, forgeHead: theirs, base: main });
    expect(opened.notes).toEqual(["The branch moved on the forge by 1 commits, which are in now."]);
    expect(await world.agent("git rev-parse origin/main")).toBe(main);
  });

  test("keeps commits that were not handed in yet, also when the base moved", async () => {
    await world.open();
    const mine = await commit("mine");
    await world.commitOnForge("main", "other", "2");
    await world.sync();
    const opened = await world.open();
    expect(opened.head).toBe(mine);
    expect(opened.notes.join()).toContain("1 commits of an earlier run");
  });

  test("takes uncommitted changes out of the way onto a ref, and tells", async () => {
    const { head } = await world.open();
    await world.agent("echo changed > README; echo new > new");
    const opened = await world.open();
    const ref = /on (refs\/claude-hooks\/kept\/\S+) in/.exec(opened.notes.join())?.[1];
    expect(opened.head).toBe(head);
    expect(await look()).toBe(`${head}\n${branch}`);
    expect(await world.agent(`git show ${ref}:README ${ref}:new`)).toBe("changed\nnew");
  });

  test("leaves the uncommitted changes of an interrupted run where asked to", async () => {
    await world.open();
    await world.agent("echo changed > README");
    const opened = await world.open({ keepUnfinished: true });
    expect(opened.notes.join()).toContain("1 uncommitted changes of an earlier run are still there");
    expect(await world.agent("cat README")).toBe("changed");
  });

  test.each([
    ["another branch", "git checkout -q -b elsewhere; git commit -q --allow-empty -m left", "was on elsewhere"],
    ["no branch", "git checkout -q --detach; git commit -q --allow-empty -m left", "was on no branch"],
    [
      "a rebase under way",
      "git commit -q --allow-empty -m left; git -c sequence.editor=true rebase -q --exec false HEAD~1 || true",
      "was on no branch",
    ],
  ])("left on %s comes back to its own", async (_, script, told) => {
    await world.open();
    await world.agent(script);
    expect((await world.open()).notes.join()).toContain(told);
    expect((await look()).split("\n")[1]).toBe(branch);
    expect(await world.agent("git log -1 --all --format=%s --grep=^left$")).toBe("left");
  });

  test("goes on after the locks of a git that was killed", async () => {
    const { head } = await world.open();
    await world.agent("touch .git/index.lock .git/refs/heads/agent/1.lock");
    const theirs = await world.commitOnForge(branch, "theirs", "1");
    await world.sync();
    expect(head).not.toBe(theirs);
    const opened = await world.open();
    expect(opened.head).toBe(theirs);
    expect(opened.notes.join()).not.toContain("made anew");
  });

  test("that went another way than the forge is set to the forge's, and the local commits are kept on a ref", async () => {
    await world.commitOnForge(branch, "first", "1");
    await world.sync();
    await world.open();
    const mine = await commit("mine");
    const theirs = await world.commitOnForge(branch, "theirs", "1");
    await world.sync();
    const opened = await world.open();
    expect(opened.head).toBe(theirs);
    const ref = /on (refs\/claude-hooks\/kept\/\S+) in/.exec(opened.notes.join())?.[1];
    expect(await world.agent(`git rev-parse ${ref}`)).toBe(mine);
  });

  test.each([
    ["has no commits", "rm -rf .git/refs .git/packed-refs"],
    ["lost its HEAD", "rm .git/HEAD"],
    ["has files and no .git", "rm -rf .git"],
    ["lost the mirror's objects", "echo /nowhere > .git/objects/info/alternates"],
    ["has a config that git cannot read", "echo '[core' > .git/config"],
    [
      "has changes of which git would save a name only",
      "git init -q inner; git -C inner -c user.name=a -c user.email=a@b commit -q --allow-empty -m x; echo mine > inner/mine",
    ],
    [
      "has a command for every git call that fails",
      "git config core.fsmonitor /bin/false; git config filter.x.clean false; git config filter.x.required true; echo '* filter=x' > .gitattributes",
    ],
  ])("that %s is usable again, and the old one is not lost", async (_, harm) => {
    const { head } = await world.open();
    await world.agent(`echo precious > precious; ${harm}`);
    const opened = await world.open();
    expect(opened.head).toBe(head);
    expect(opened.notes.join()).toMatch(/is kept as .*kept-2026-01-02T03-04-05-000Z/);
    expect(await look()).toBe(`${head}\n${branch}`);
  });

  test("of a clone that a crash interrupted is made again", async () => {
    await world.agent("git init -q .; git config x.y z");
    const main = await world.mirror.head("main");
    expect(await world.open()).toMatchObject({ head: main! });
  });

  test("cannot be had where the base branch is missing, and says which", async () => {
    expect(await openCheckout(world.runner, world.checkoutRequest({ base: "trunk" }))).toMatchObject({
      kind: "failed",
      failure: { kind: "clone-failed", detail: expect.stringContaining('"trunk"') },
    });
  });

  test("that is stopped while it is made says so", async () => {
    const stopped = await openCheckout(world.runner, world.checkoutRequest({ signal: AbortSignal.abort() }));
    expect(stopped).toMatchObject({ kind: "failed", failure: { kind: "interrupted" } });
  });
});
