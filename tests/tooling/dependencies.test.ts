import { describe, expect, test } from "bun:test";
import { globSync } from "node:fs";
import { join } from "node:path";
import { repository } from "./tree.ts";

interface Manifest {
  file: string;
  imports?: unknown;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

const read = async (file: string): Promise<unknown> => await Bun.file(join(repository, file)).json();

const files = ["package.json", ...globSync("{apps,packages}/*/package.json", { cwd: repository })];
const manifests = await Promise.all(
  files.map(async (file): Promise<Manifest> => ({ ...((await read(file)) as object), file })),
);

const dependencies = manifests.flatMap(({ file, ...manifest }) =>
  [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies, manifest.peerDependencies]
    .flatMap((group) => Object.entries(group ?? {}))
    .map(([name, version]) => ({ file, name, version })),
);
const foreign = dependencies.filter(({ name }) => !name.startsWith("@claude-hooks/"));

describe("dependencies", () => {
  test("docs/dependencies.md has one line for each, and no other", async () => {
    const text = await Bun.file(join(repository, "docs/dependencies.md")).text();
    const listed = [...text.matchAll(/^- `([^`]+)`: \S/gm)].map(([, name]) => name ?? "");
    expect(listed.toSorted()).toEqual([...new Set(foreign.map(({ name }) => name))].toSorted());
  });

  test("every version is exact", () => {
    const loose = foreign.filter(({ version }) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version));
    expect(loose).toEqual([]);
  });

  test("a library has the same version in every workspace", () => {
    const versions = Map.groupBy(foreign, ({ name }) => name);
    const torn = [...versions.values()].filter((uses) => new Set(uses.map(({ version }) => version)).size > 1);
    expect(torn).toEqual([]);
  });

  test("our own packages come from the workspace", () => {
    const own = dependencies.filter(({ name }) => name.startsWith("@claude-hooks/"));
    expect(own.filter(({ version }) => version !== "workspace:*")).toEqual([]);
  });
});

test("no package.json and no tsconfig.json defines a path alias", async () => {
  expect(manifests.filter(({ imports }) => imports !== undefined)).toEqual([]);
  const configs = ["tsconfig.json", ...globSync("{apps,packages}/*/tsconfig*.json", { cwd: repository })];
  for (const file of configs) {
    const { compilerOptions = {} } = (await read(file)) as { compilerOptions?: object };
    expect(Object.keys(compilerOptions).filter((option) => option === "paths" || option === "baseUrl")).toEqual([]);
  }
});
