import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Checkout } from "./checkout.ts";
import { type PublishRequest, publish } from "./publish.ts";
import type { Death } from "./testing/publish-and-die.ts";
import { branch, World } from "./testing/world.ts";

describe("publishing", () => {
  let world: World;
  let opened: Checkout;
  beforeEach(async () => {
    world = await World.open();
    opened = await world.open();
  });
  afterEach(() => world[Symbol.dispose]());

  const commit = (file: string) =>
    world.agent(`echo ${file} > ${file}; git add -A; git commit -qm "add ${file}"; git rev-parse HEAD`);
  const hand = (changes: Partial<PublishRequest> = {}) => publish(world.runner, world.publishRequest(opened, changes));
  /** Nothing but what the forge had before, and nothing of the agent's on the lane's ref. */
  const expectNothing = async () => expect((await world.forgeRefs()).refs).toEqual(["refs/heads/main"]);

  test("brings exactly the branch's commit to exactly that branch, and says what is in it", async () => {
    await commit("one");
    const head = await commit("two");
    await world.agent("git tag v9; git branch other; echo x > left; git add left; git tag -a -m t v10");
    expect(await hand()).toEqual({
      kind: "published",
      head,
      alreadyThere: false,
      work: { commits: 2, subjects: ["add two", "add one"], shortstat: "2 files changed, 2 insertions(+)" },
      leftovers: { uncommitted: ["A  left"], leftOn: null },
    });
    expect(await world.forgeHead()).toBe(head);
    expect((await world.forgeRefs()).refs).toEqual(["refs/heads/agent/1", "refs/heads/main"]);
  });

  test("twice changes nothing", async () => {
    const head = await commit("one");
    await hand();
    expect(await hand()).toMatchObject({ kind: "published", head, alreadyThere: true, work: { commits: 1 } });
    expect((await world.forgeRefs()).writes).toBe(1);
  });

  test("adds a second run's commit to the first's", async () => {
    await commit("one");
    await hand();
    await world.sync();
    opened = await world.open();
    const head = await commit("two");
    expect(await hand()).toMatchObject({ kind: "published", head, work: { commits: 1, subjects: ["add two"] } });
    expect(await world.forgeHead()).toBe(head);
  });

  test("counts the agent's own commits, not those of the base that it merged", async () => {
    await commit("one");
    await world.commitOnForge("main", "theirs", "1");
    await world.sync();
    opened = await world.open();
    await world.agent("git merge -q -m merge origin/main");
    expect(await hand()).toMatchObject({ kind: "published", work: { commits: 2, subjects: ["merge", "add one"] } });
  });

  test("without a new commit is told as no change, with what was not committed", async () => {
    await world.agent("echo x > left");
    expect(await hand()).toMatchObject({ kind: "no-change", leftovers: { uncommitted: ["?? left"] } });
    await expectNothing();
  });

  test("takes the branch although the agent left the checkout elsewhere, and tells", async () => {
    const head = await commit("one");
    await world.agent("git checkout -q -b elsewhere");
    expect(await hand()).toMatchObject({ kind: "published", head, leftovers: { leftOn: "elsewhere" } });
  });

  const refusals: [string, string, RegExp, Partial<PublishRequest>?][] = [
    ["a tree with a .git folder in it", treeNamed(".git"), /objects are not sound/],
    ["a tree with .GIT in it, which some file systems take for the same", treeNamed(".GIT"), /objects are not sound/],
    ["a tree that leads out of the checkout", treeNamed(".."), /objects are not sound/],
    [
      "a submodule with an option for its address",
      `printf '[submodule "a"]\\n\\tpath = a\\n\\turl = -u./payload\\n' > .gitmodules; git add -A; git commit -qm x`,
      /objects are not sound/,
    ],
    [
      "more than the limit",
      "head -c 3000000 /dev/urandom > big; git add -A; git commit -qm x",
      /limit of 1000000 bytes/,
      { maxPackBytes: 1_000_000 },
    ],
    [
      "commits without their objects",
      `echo gone > gone; git add -A; git commit -qm x; rm -f $(git rev-parse HEAD:gone | sed 's,\\(..\\),.git/objects/\\1/,')`,
      /cannot be bundled/,
    ],
    [
      "a history of its own",
      "git checkout -q --orphan o; git commit -qm x; git branch -f agent/1",
      /no history in common/,
    ],
    ["a branch that is gone", "git checkout -q --detach; git branch -qD agent/1", /has no branch/],
    ["a checkout that is gone", "rm -rf .git", /has no branch/],
  ];
  test.each(refusals)("refuses %s", async (_, script, told, changes = {}) => {
    await world.agent(script);
    const result = await hand(changes);
    expect(result).toMatchObject({ kind: "refused", detail: expect.stringMatching(told) });
    await expectNothing();
  });

  const header = "printf '# v2 git bundle\\n%s refs/heads/agent/1\\n\\n' $(git rev-parse HEAD)";
  test.each([
    ["with another ref", "git tag t; git bundle create -q - refs/tags/t", /no other ref/],
    [
      "with another commit",
      "git commit -q --allow-empty -m x; git bundle create -q - refs/heads/agent/1",
      /moved while/,
    ],
    [
      "without the files of its commit",
      `${header}; git rev-parse HEAD HEAD^{tree} | git pack-objects -q --stdout`,
      /not sound|not handed in/,
    ],
    [
      "without its commit",
      `${header}; git rev-parse HEAD^{tree} HEAD:one | git pack-objects -q --stdout`,
      /not sound|not handed in/,
    ],
    ["with noise for a pack", `${header}; head -c 4000 /dev/urandom`, /not sound/],
  ])("refuses a bundle %s", async (_, script, told) => {
    await commit("one");
    const forged: Pick<typeof world.runner, "run"> = {
      run: (command, options) =>
        world.runner.run(command.includes("bundle") ? ["bash", "-c", script] : command, options),
    };
    const result = await publish(forged, world.publishRequest(opened));
    expect(result).toMatchObject({ kind: "refused", detail: expect.stringMatching(told) });
    await expectNothing();
  });

  test.each([
    ["the default branch", { branch: "main" }],
    ["the branch that the pull request goes to", { branch: "next", base: { branch: "next", sha: "0".repeat(40) } }],
    ["a tag", { branch: "refs/tags/v1" }],
  ])("refuses to touch %s", async (_, changes) => {
    const head = await world.forgeHead("refs/heads/main");
    await world.agent(
      "git branch next; git checkout -q -B main; echo x > x; git add x; git commit -qm x; git branch -f next",
    );
    expect(await hand(changes)).toMatchObject({ kind: "refused" });
    await expectNothing();
    expect(await world.forgeHead("refs/heads/main")).toBe(head);
  });

  test("refuses a rewritten history of a branch that is on the forge", async () => {
    await commit("one");
    await hand();
    await world.sync();
    opened = await world.open();
    await world.agent("git commit -q --amend -m other");
    expect(await hand()).toMatchObject({ kind: "refused", detail: expect.stringContaining("was rewritten") });
    expect(await world.forgeHead()).toBe(opened.forgeHead!);
  });

  test.each([
    ["was made by somebody else", async () => world.commitOnForge(branch, "theirs", "1")],
    ["moved", async () => world.commitOnForge(branch, "more", "2")],
  ])("leaves a branch alone that %s meanwhile", async (_, meanwhile) => {
    await commit("one");
    const theirs = await meanwhile();
    expect(await hand()).toMatchObject({ kind: "moved", detail: expect.stringContaining("moved on the forge") });
    expect(await world.forgeHead()).toBe(theirs);
  });

  test("leaves a branch alone that moves between the last look at it and the push", async () => {
    await commit("one");
    let theirs = "";
    const mirror = world.openMirror(async (args, options) => {
      if (args.includes("push")) theirs = await world.commitOnForge(branch, "theirs", "1");
      return world.git(args, options);
    });
    expect(await hand({ mirror })).toMatchObject({
      kind: "moved",
      detail: expect.stringContaining("moved on the forge"),
    });
    expect(await world.forgeHead()).toBe(theirs);
  });

  test.each([
    ["before anything", 0],
    ["after the look at the checkout", 1],
  ])("that is stopped %s can be tried again", async (_, commands) => {
    const head = await commit("one");
    const stop = new AbortController();
    let seen = 0;
    const stopping: Pick<typeof world.runner, "run"> = {
      run(command, options) {
        if (seen++ === commands) stop.abort();
        return world.runner.run(command, options);
      },
    };
    const request = world.publishRequest(opened, { signal: stop.signal });
    expect(await publish(stopping, request)).toMatchObject({
      kind: "push-failed",
      detail: expect.stringContaining("stopped"),
    });
    expect(await hand()).toMatchObject({ kind: "published", head });
  });

  test("counts a push whose answer was lost", async () => {
    const head = await commit("one");
    const mirror = world.openMirror(async (args, options) => {
      const result = await world.git(args, options);
      return args.includes("push") ? { ...result, exitCode: 128, stderr: "the remote end hung up" } : result;
    });
    expect(await hand({ mirror })).toMatchObject({ kind: "published", head });
    expect((await world.forgeRefs()).writes).toBe(1);
  });

  test("tells of a forge that does not answer, and of one that refuses the push", async () => {
    await commit("one");
    const away = { ...world.remote, url: `${world.remote.url}-absent` };
    expect(await hand({ remote: away })).toMatchObject({
      kind: "push-failed",
      detail: expect.stringContaining("-absent"),
    });
    await world.asPerson(
      `printf '#!/bin/sh\\necho protected; exit 1\\n' > ${world.forge}/hooks/pre-receive; chmod +x ${world.forge}/hooks/pre-receive`,
    );
    expect(await hand()).toMatchObject({ kind: "push-failed", detail: expect.stringContaining("protected") });
  });

  test("runs nothing of the agent's on this machine, whatever its checkout is set to", async () => {
    const markers = world.markers();
    await commit("one");
    await world.agent(`
      trap() { echo "touch ${markers}/$1 2>/dev/null; true"; }
      for key in core.sshCommand core.editor core.pager gpg.program uploadpack.packObjectsHook; do
        git config $key "$(trap $key)"; done
      git config url.file:///nowhere.insteadOf file://; git config url.file:///nowhere.pushInsteadOf file://
      git config filter.x.clean "$(trap clean); cat"; git config filter.x.smudge "$(trap smudge); cat"
      git config diff.x.textconv "$(trap textconv); cat"; git config remote.origin.url "ext::$(trap ext)"
      for hook in reference-transaction post-checkout pre-push post-merge post-index-change post-commit; do
        (echo '#!/bin/sh'; trap $hook) > .git/hooks/$hook; chmod +x .git/hooks/$hook; done
      echo '* filter=x diff=x' > .gitattributes; echo two > two; git add -A; git commit -qm two
      git config diff.external "$(trap external)"; git config core.fsmonitor "$(trap fsmonitor)"`);
    expect(await hand()).toMatchObject({ kind: "published", work: { subjects: ["two", "add one"] } });
    await world.sync();
    opened = await world.open();
    expect(await world.forgeHead()).toBe(opened.head);
    expect(readdirSync(markers)).toEqual([]);
    // The traps are live: a git outside the jail walks into them.
    await world.asPerson(`git -c safe.directory='*' -C ${world.checkout} status`);
    expect(readdirSync(markers)).toContain("fsmonitor");
  });

  const deaths: Death[] = [
    { command: "index-pack", when: "before" },
    { command: "index-pack", when: "after" },
    { command: "update-ref", when: "after" },
    { command: "push", when: "before" },
    { command: "push", when: "after" },
  ];
  test.each(deaths.map((death) => [`${death.when} ${death.command}`, death] as const))(
    "killed %s, then called again, pushes once",
    async (_, death) => {
      const head = await commit("one");
      const program = join(import.meta.dir, "testing/publish-and-die.ts");
      const argv = [process.execPath, program, world.folder.path, opened.base, JSON.stringify(death)];
      const service = Bun.spawn(argv, { stderr: "inherit", stdout: "inherit" });
      await service.exited;
      expect(service.signalCode).toBe("SIGKILL");
      const pushed = death.command === "push" && death.when === "after";
      expect(await hand()).toMatchObject({ kind: "published", head, alreadyThere: pushed, work: { commits: 1 } });
      expect(await world.forgeHead()).toBe(head);
      expect((await world.forgeRefs()).writes).toBe(1);
    },
  );
});

/** A commit whose tree has an entry of this name. git mktree takes any name. */
function treeNamed(name: string): string {
  return `blob=$(echo evil | git hash-object -w --stdin)
    inner=$(printf '100644 blob %s\\tconfig\\n' $blob | git mktree)
    tree=$(printf '040000 tree %s\\t${name}\\n' $inner | git mktree)
    git update-ref refs/heads/agent/1 $(git commit-tree $tree -p HEAD -m evil)`;
}
