import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { layers } from "../../scripts/lint/layers.ts";
import { copyTree, type Finding, repository, type Tree } from "./tree.ts";

const server = "apps/server/src";
const configs = [".oxlintrc.json", "package.json", "tsconfig.json", "scripts/lint"];

interface Violation {
  title: string;
  file: string;
  text: string;
  rule: string;
  says: string;
}

const imports = "layers(imports)";
const effects = "layers(effects)";

/** Each stands in a file of its own, which nothing else may touch. */
const violations: readonly Violation[] = [
  {
    title: "a stage that imports another stage",
    file: `${server}/flows/planted-stage.ts`,
    text: 'export { lane } from "../tasks/planted.ts";\n',
    rule: imports,
    says: "flows may not import tasks",
  },
  {
    title: "a stage that imports a type of another stage",
    file: `${server}/runs/planted-type.ts`,
    text: 'import type { Lane } from "../tasks/planted.ts";\nexport type RunLane = Lane;\n',
    rule: imports,
    says: "runs may not import tasks",
  },
  {
    title: "a stage that names another stage's type inline",
    file: `${server}/runs/planted-inline-type.ts`,
    text: 'export type RunLane = import("../tasks/planted.ts").Lane;\n',
    rule: imports,
    says: "runs may not import tasks",
  },
  {
    title: "a stage that loads another stage late",
    file: `${server}/runs/planted-late.ts`,
    text: 'export const late = async (): Promise<unknown> => await import("../tasks/planted.ts");\n',
    rule: imports,
    says: "runs may not import tasks",
  },
  {
    title: "a stage that imports infrastructure",
    file: `${server}/webhook/planted-infrastructure.ts`,
    text: 'export { clock } from "../infrastructure/planted.ts";\n',
    rule: imports,
    says: "webhook may not import infrastructure",
  },
  {
    title: "a stage that imports the composition root",
    file: `${server}/webhook/planted-app.ts`,
    text: 'export { planted } from "../app/planted.ts";\n',
    rule: imports,
    says: "webhook may not import composition",
  },
  {
    title: "domain that imports a stage",
    file: `${server}/domain/planted-stage.ts`,
    text: 'export { lane } from "../tasks/planted.ts";\n',
    rule: imports,
    says: "domain may not import tasks",
  },
  {
    title: "domain that imports a library other than zod",
    file: `${server}/domain/planted-library.ts`,
    text: 'export { Hono } from "hono";\n',
    rule: imports,
    says: 'domain may use only zod, not "hono"',
  },
  {
    title: "a pure file that imports its own stage's impure part",
    file: `${server}/flows/decide.ts`,
    text: 'export { planted } from "./planted.ts";\n',
    rule: imports,
    says: "flows (pure) may not import flows",
  },
  {
    title: "a pure file that reads files",
    file: `${server}/security/planted-files.ts`,
    text: 'export { readFile } from "node:fs/promises";\n',
    rule: imports,
    says: 'not "node:fs/promises"',
  },
  {
    title: "infrastructure that imports config",
    file: `${server}/infrastructure/planted-config.ts`,
    text: 'export { config } from "../config/planted.ts";\n',
    rule: imports,
    says: "infrastructure may not import config",
  },
  {
    title: "a server that uses a simulator",
    file: `${server}/app/planted-simulator.ts`,
    text: 'export * from "@claude-hooks/forge-sim";\n',
    rule: imports,
    says: "composition may not import @claude-hooks/forge-sim",
  },
  {
    title: "a relative path into another workspace",
    file: "apps/cli/src/planted-workspace.ts",
    text: 'export { lane } from "../../server/src/tasks/planted.ts";\n',
    rule: imports,
    says: "is of another workspace",
  },
  {
    title: "product code that imports test code",
    file: `${server}/http/planted-test.ts`,
    text: 'export { fake } from "../testing/planted.ts";\n',
    rule: imports,
    says: "http may not import tests",
  },
  {
    title: "a file in a folder that no layer claims",
    file: `${server}/utils/planted.ts`,
    text: "export const planted = 1;\n",
    rule: imports,
    says: "stands in no layer",
  },
  {
    title: "an import without its extension",
    file: `${server}/tasks/planted-extension.ts`,
    text: 'export { lane } from "./planted";\n',
    rule: imports,
    says: "needs its file extension",
  },
  ...["@/tasks/planted.ts", "~/tasks/planted.ts", "#tasks"].map((alias, index) => ({
    title: `the path alias ${alias}`,
    file: `${server}/tasks/planted-alias-${index}.ts`,
    text: `export { lane } from "${alias}";\n`,
    rule: "layers(aliases)",
    says: "is a path alias",
  })),
  {
    title: "a cycle",
    file: `${server}/tasks/planted-cycle-a.ts`,
    text: 'import { b } from "./planted-cycle-b.ts";\nexport const a = (): number => b();\n',
    rule: "import(no-cycle)",
    says: "cycle",
  },
  {
    title: "a cycle of types",
    file: `${server}/tasks/planted-type-cycle-a.ts`,
    text: 'import type { B } from "./planted-type-cycle-b.ts";\nexport type A = { b: B };\n',
    rule: "import(no-cycle)",
    says: "cycle",
  },
  ...(
    [
      ["Date.now()", "export const at = (): number => Date.now();\n", "Date.now"],
      ["globalThis.Date.now()", "export const at = (): number => globalThis.Date.now();\n", "Date.now"],
      ["new Date()", "export const at = (): Date => new Date();\n", "new Date()"],
      ["process.env", 'export const home = (): string | undefined => process.env["HOME"];\n', "process.env"],
      ["env taken out of Bun", 'const { env } = Bun;\nexport const home = env["HOME"];\n', "Bun.env"],
      ["an import of env", 'import { env } from "node:process";\nexport const home = env["HOME"];\n', "env"],
      ["Bun.spawn", 'export const started = (): unknown => Bun.spawn(["true"]);\n', "Bun.spawn"],
      ["Bun's shell", 'import { $ } from "bun";\nexport const shell = $;\n', "$"],
      ["node:child_process", 'export { execFile } from "node:child_process";\n', "execFile"],
      ["a process started by a late import", 'export const late = import("node:child_process");\n', "*"],
      ["setTimeout", "export const later = (then: () => void): unknown => setTimeout(then, 1);\n", "setTimeout"],
      ["Bun.sleep", "export const nap = async (): Promise<void> => await Bun.sleep(1);\n", "Bun.sleep"],
    ] as const
  ).map(([title, text, name], index) => ({
    title: `a stage with ${title}`,
    file: `${server}/tasks/planted-effect-${index}.ts`,
    text,
    rule: effects,
    says: `tasks may not use ${name}`,
  })),
  {
    title: "a promise that nobody waits for",
    file: `${server}/tasks/planted-promise.ts`,
    text: "declare const work: () => Promise<void>;\nexport function start(): void {\n  work();\n}\n",
    rule: "typescript(no-floating-promises)",
    says: "Promises must be awaited",
  },
  {
    title: "a switch that forgets a case",
    file: `${server}/tasks/planted-switch.ts`,
    text: 'export function f(x: "a" | "b"): void {\n  switch (x) {\n    case "a":\n      break;\n  }\n}\n',
    rule: "typescript(switch-exhaustiveness-check)",
    says: "not exhaustive",
  },
  {
    title: "a file of more than 300 lines",
    file: `${server}/tasks/planted-long.ts`,
    text: `export const line = 1;\n${"// more\n".repeat(300)}`,
    rule: "eslint(max-lines)",
    says: "too many lines (301)",
  },
  {
    title: "a default export",
    file: `${server}/tasks/planted-default.ts`,
    text: "export default 1;\n",
    rule: "import(no-default-export)",
    says: "Prefer named exports",
  },
];

/** What the planted imports point at, and code that the rules must leave alone. */
const sound: Readonly<Record<string, string>> = {
  [`${server}/domain/planted.ts`]: 'import { z } from "zod";\nexport const Lane = z.string();\n',
  [`${server}/security/planted.ts`]: 'export { Lane } from "../domain/planted.ts";\n',
  [`${server}/tasks/planted.ts`]:
    'import { Lane } from "../domain/planted.ts";\nexport const lane = Lane;\nexport type Lane = string;\n',
  [`${server}/tasks/planted-argument.ts`]:
    'import { lane } from "./planted.ts";\nexport const at = (Date: { now: () => number }, setTimeout: number): unknown => [lane, Date.now(), setTimeout];\nexport const day = (ms: number): Date => new Date(ms);\n',
  [`${server}/flows/planted.ts`]: 'export { Lane as planted } from "../security/planted.ts";\n',
  [`${server}/sessions/choose.ts`]: 'export { Lane as choose } from "../domain/planted.ts";\n',
  [`${server}/sessions/planted.ts`]: 'export { choose } from "./choose.ts";\n',
  [`${server}/config/planted.ts`]: 'export const config = process.env["HOME"];\n',
  [`${server}/infrastructure/planted.ts`]: "export const clock = { now: (): number => Date.now() };\n",
  [`${server}/app/planted.ts`]:
    'import { config } from "../config/planted.ts";\nimport { clock } from "../infrastructure/planted.ts";\nimport { lane } from "../tasks/planted.ts";\nexport const planted = [config, clock, lane];\n',
  [`${server}/testing/planted.ts`]:
    'import { planted } from "../app/planted.ts";\nexport const fake = [planted, Date.now()];\n',
  [`${server}/tasks/planted.test.ts`]:
    'export { fake } from "../testing/planted.ts";\nexport * from "@claude-hooks/forge-sim";\n',
  "packages/forge-sim/src/index.ts": "export const at = (): number => Date.now();\n",
};

/** The other halves of the cycles. */
const halves: Readonly<Record<string, string>> = {
  [`${server}/tasks/planted-cycle-b.ts`]:
    'import { a } from "./planted-cycle-a.ts";\nexport const b = (): number => a();\n',
  [`${server}/tasks/planted-type-cycle-b.ts`]:
    'import type { A } from "./planted-type-cycle-a.ts";\nexport type B = { a?: A };\n',
};

const planted = { ...halves, ...Object.fromEntries(violations.map(({ file, text }) => [file, text])) };

function expectFound(findings: readonly Finding[], { file, rule, says }: Violation): void {
  const found = findings.filter((finding) => finding.file === file);
  expect(found).toContainEqual({ file, rule, message: expect.stringContaining(says) });
}

describe("on a small tree", () => {
  let tree: Tree;
  let findings: Finding[];
  beforeAll(async () => {
    tree = await copyTree(configs);
    await tree.write(sound);
    expect(await tree.lint()).toEqual([]);
    await tree.write(planted);
    findings = await tree.lint();
  }, 60_000);
  afterAll(() => tree[Symbol.asyncDispose]());

  test.each(violations.map((violation) => [violation.title, violation] as const))("the linter refuses %s", (_, each) =>
    expectFound(findings, each),
  );

  test("the linter names no file but those with a violation", () => {
    const files = new Set(findings.map(({ file }) => file));
    expect([...files].filter((file) => !(file in planted))).toEqual([]);
  });
});

describe("on a copy of this repository", () => {
  let tree: Tree;
  beforeAll(async () => {
    const entries = await readdir(repository);
    const skipped = [".git", ".state", "node_modules"];
    tree = await copyTree(entries.filter((entry) => !skipped.includes(entry)));
  }, 60_000);
  afterAll(() => tree[Symbol.asyncDispose]());

  test("planted violations are all that the linter finds more than before", async () => {
    const own = (files: Readonly<Record<string, string>>) =>
      Object.fromEntries(Object.entries(files).filter(([file]) => file.includes("/planted")));
    await tree.write(own(sound));
    const before = await tree.lint();
    await tree.write(own(planted));
    const after = await tree.lint();

    for (const violation of violations.filter(({ file }) => file.includes("/planted"))) expectFound(after, violation);
    expect(after.filter(({ file }) => !(file in planted))).toEqual(before);
  }, 120_000);
});

test("every file that the table calls pure is there, so that a new name cannot take it out of the rules", () => {
  const named = layers.filter(({ name }) => name.endsWith("(pure)")).flatMap(({ files }) => files);
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((file) => !existsSync(join(repository, file)))).toEqual([]);
});
