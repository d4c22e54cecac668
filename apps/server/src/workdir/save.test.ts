import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { savedWork } from "./restore.ts";
import { branch, World } from "./testing/world.ts";

describe("the work in a checkout that goes", () => {
  let world: World;
  beforeEach(async () => {
    world = await World.open();
  });
  afterEach(() => world[Symbol.dispose]());

  const commit = (file: string) =>
    world.agent(`echo ${file} > ${file}; git add -A; git commit -qm "add ${file}"; git rev-parse HEAD`);
  const status = () => world.agent("git rev-parse HEAD; git symbolic-ref -q --short HEAD; git status --porcelain");
  const saved = async () => {
    const result = await world.save();
    if (result.kind !== "saved") throw new Error(JSON.stringify(result));
    await world.removeCheckout();
    return result;
  };

  test("is nothing where all of it is on the forge", async () => {
    await world.open();
    await world.agent("echo built > x.o; echo '*.o' > .git/info/exclude");
    expect(await world.save()).toEqual({ kind: "nothing" });
    await world.commitOnForge(branch, "theirs", "1");
    await world.sync();
    await world.open();
    expect(await world.save()).toEqual({ kind: "nothing" });
  });

  test("is nothing where the forge has had it, although its branch is gone", async () => {
    await world.open();
    const mine = await commit("mine");
    expect(await world.save({ published: [mine, "f".repeat(40)] })).toEqual({ kind: "nothing" });
    expect(await world.save()).toMatchObject({ kind: "saved", commits: 1, changes: 0 });
  });

  test("comes back as it was: commits, and changes of every kind", async () => {
    await world.commitOnForge("main", "old", "old");
    await world.commitOnForge("main", ".gitignore", "*.o\n");
    await world.sync();
    await world.open();
    const mine = await commit("mine");
    await world.agent(`rm old; echo more >> README; chmod +x README; mkdir -p deep; echo new > 'deep/a b'
      printf 'x\\0y' > "$(printf 'n\\303\\244me')"; ln -s README link; echo built > x.o`);
    const before = await status();
    const result = await saved();
    expect(result).toMatchObject({ commits: 1, changes: 5 });
    expect(await world.mirror.git(["rev-parse", result.ref])).toMatchObject({ exitCode: 0 });
    await world.open();
    const restored = await world.restore();
    expect(restored.head).toBe(mine);
    expect(restored.notes).toEqual([
      "1 commits that were saved with the last checkout are back on the branch.",
      "5 uncommitted changes that were saved with the last checkout are back.",
    ]);
    expect(await status()).toBe(before);
    expect(await world.agent("test -x README; test ! -e x.o; cat 'deep/a b'; readlink link; wc -c < n*me")).toBe(
      "new\nREADME\n3",
    );
  });

  test("comes back once", async () => {
    await world.open();
    await world.agent("echo new > new");
    const { ref } = await saved();
    await world.open();
    await world.restore();
    expect(await savedWork(world.mirror, "dev:0190a1b2" as never)).toEqual([]);
    expect(await world.mirror.git(["rev-parse", ref.replace("/saved/", "/put-back/")])).toMatchObject({ exitCode: 0 });
    await world.agent("rm new");
    expect(await world.restore()).toEqual({ head: null, notes: [] });
  });

  test("comes back once also where the service was killed before it said so", async () => {
    await world.open();
    await world.agent("echo new > new");
    const { ref } = await saved();
    const savedCommit = new TextDecoder().decode((await world.mirror.git(["rev-parse", ref])).stdout).trim();
    const { head } = await world.open();
    await world.restore();
    await world.agent("rm new");
    await world.mirror.git(["update-ref", ref, savedCommit]);
    expect(await world.restore()).toEqual({ head, notes: [] });
    expect(await status()).toBe(`${head}\n${branch}`);
  });

  test("counts what hides from git's eyes: flags, ignored files that were added, hidden untracked files", async () => {
    await world.commitOnForge("main", ".gitignore", "*.o\n");
    await world.sync();
    await world.open();
    await world.agent("echo 1 > known.o; git add -f known.o; git commit -qm 'Add what is ignored'");
    await world.agent(`git update-index --assume-unchanged README; echo hidden > README
      echo forced > forced.o; git add -f forced.o; git config status.showUntrackedFiles no; echo new > new`);
    expect(await saved()).toMatchObject({ changes: 3 });
    await world.open();
    await world.restore();
    expect(await world.agent("cat README forced.o new known.o")).toBe("hidden\nforced\nnew\n1");
  });

  test("counts other branches, no branch, stashes and what was kept before", async () => {
    await world.open();
    await world.agent(`git checkout -qb side; git commit -q --allow-empty -m side; git tag mark
      git checkout -q ${branch}; echo s > README; git stash -q; git commit -q --allow-empty -m kept
      git update-ref refs/claude-hooks/kept/old-changes HEAD; git reset -q --hard HEAD~1
      git checkout -q --detach; git commit -q --allow-empty -m detached`);
    await saved();
    await world.open();
    const { notes } = await world.restore();
    expect(notes.join("\n")).toContain("A saved branch side is back");
    expect(notes.join("\n")).toContain("A saved tag mark is back");
    expect(notes.join("\n")).toContain(
      "on no branch are kept on refs/claude-hooks/kept/2026-01-03T00-00-00-000Z-detached",
    );
    const subjects = (await world.agent("git log --all --format=%s")).split("\n");
    for (const subject of ["side", "kept", "detached"]) expect(subjects).toContain(subject);
    expect(await world.agent("git for-each-ref --format='%(refname)' refs/claude-hooks/kept | wc -l")).toBe("3");
  });

  test("is kept beside a branch that went on at the forge", async () => {
    await world.open();
    const mine = await commit("mine");
    await world.agent("echo mine > README");
    await saved();
    await world.commitOnForge(branch, "README", "theirs");
    await world.sync();
    const { head } = await world.open();
    const { notes } = await world.restore({ onForge: true });
    const [commits, changes] = notes.map((note) => /on (refs\/\S+) in/.exec(note)?.[1]);
    expect(await world.agent(`git rev-parse ${commits}`)).toBe(mine);
    expect(await world.agent(`git show ${changes}:README`)).toBe("mine");
    expect(await status()).toBe(`${head}\n${branch}`);
  });

  test("goes on a ref where no session goes on with it", async () => {
    const { head } = await world.open();
    await world.agent("echo mine > README");
    await saved();
    await world.open();
    const { notes } = await world.restore({ putChanges: false });
    expect(await status()).toBe(`${head}\n${branch}`);
    expect(await world.agent(`git show ${/on (refs\/\S+) in/.exec(notes.join())?.[1]}:README`)).toBe("mine");
  });

  test("leaves a checkout alone that was not removed after all", async () => {
    await world.open();
    const mine = await commit("mine");
    await world.agent("echo more > README");
    await world.save();
    await world.open({ keepUnfinished: true });
    expect((await world.restore()).head).toBe(mine);
    expect(await world.agent("cat README; git status --porcelain")).toBe("more\n M README");
  });

  test.each([
    ["has files and no .git", "rm -rf .git; echo x > x", "no .git folder"],
    ["lost its HEAD", "rm .git/HEAD; echo x > x", ""],
    ["lost the mirror's objects", "echo /nowhere > .git/objects/info/alternates; echo x > x", ""],
    [
      "holds a repository of its own",
      "git init -q inner; git -C inner -c user.name=a -c user.email=a@b commit -q --allow-empty -m x",
      "repository of its own",
    ],
    ["holds a repository without a commit", "git init -q inner; echo x > inner/x", "cannot be added"],
    [
      "has a filter that fails",
      "git config filter.x.clean false; git config filter.x.required true; echo '* filter=x' > .gitattributes",
      "cannot be added",
    ],
    [
      "has a commit with a hostile tree",
      'blob=$(echo x | git hash-object -w --stdin); tree=$(printf "100644 blob $blob\\tconfig\\n" | git mktree); tree=$(printf "040000 tree $tree\\t.git\\n" | git mktree); git update-ref refs/heads/x $(git commit-tree $tree -p HEAD -m x)',
      "not sound",
    ],
    ["has more than the limit", "head -c 11000000 /dev/urandom > big", "larger than"],
  ])("stays in the folder where it %s", async (_, harm, why) => {
    await world.open();
    await world.agent(harm);
    const result = await world.save();
    expect(result.kind).toBe("unsavable");
    expect(result.kind === "unsavable" && result.why).toContain(why);
    expect(await savedWork(world.mirror, "dev:0190a1b2" as never)).toEqual([]);
  });

  test("of an empty checkout is nothing", async () => {
    expect(await world.save()).toEqual({ kind: "nothing" });
  });

  test("that the mirror lost is told, and stays on its ref", async () => {
    await world.open();
    await world.agent("echo mine > README");
    const { ref } = await saved();
    await world.open();
    const fake = { git: world.mirror.git.bind(world.mirror), exclusively: world.mirror.exclusively.bind(world.mirror) };
    const listed = `${"e".repeat(40)} ${ref}\n`;
    const mirror: typeof fake = {
      ...fake,
      git: (args, options) =>
        args[0] === "for-each-ref"
          ? Promise.resolve({
              end: "exited",
              exitCode: 0,
              signal: null,
              stdout: new TextEncoder().encode(listed),
              stderr: "",
            })
          : fake.git(args, options),
    };
    expect((await world.restore({ mirror })).notes.join()).toContain(`the mirror lacks it); it stays on ${ref}`);
    expect(await savedWork(world.mirror, "dev:0190a1b2" as never)).toHaveLength(1);
  });
});
