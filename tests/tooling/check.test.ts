import { expect, test } from "bun:test";
import { join } from "node:path";
import { copyTree, type Tree } from "./tree.ts";

const base = [".oxlintrc.json", "biome.json", "knip.json", "package.json", "tsconfig.json", "scripts"];
const withoutTests = {
  "knip.json": '{ "include": ["files"], "entry": ["scripts/{bootstrap,check}.ts", "scripts/lint/plugin.ts"] }\n',
};

async function check(tree: Tree) {
  const report = join(tree.root, "report.txt");
  const run = Bun.spawn([process.execPath, "scripts/check.ts", `--report=${report}`], {
    cwd: tree.root,
    stdout: "pipe",
    stderr: "inherit",
  });
  const text = await new Response(run.stdout).text();
  const verdicts = (await Bun.file(report).text()).trim().split("\n");
  return { code: await run.exited, text, verdicts: verdicts.map((line) => line.replace(/ [\d.]+$/, "")) };
}

test("every check runs, also after one that failed, and each failure is shown", async () => {
  await using tree = await copyTree(base);
  await tree.write(withoutTests);
  await tree.write({
    "scripts/lib/wrong.ts": 'const text: number = "x"\nvoid text;\n',
  });
  const { code, text, verdicts } = await check(tree);

  expect(verdicts).toEqual(["failed types", "passed lint", "failed format", "failed unused"]);
  expect(text).toContain("TS2322");
  expect(text).toContain("Formatter would have printed");
  expect(text).toContain("scripts/lib/wrong.ts");
  expect(code).toBe(1);
}, 60_000);

test("a sound tree passes", async () => {
  await using tree = await copyTree(base);
  await tree.write(withoutTests);
  const { code, verdicts } = await check(tree);

  expect(verdicts).toEqual(["passed types", "passed lint", "passed format", "passed unused"]);
  expect(code).toBe(0);
}, 60_000);
