import { chmod, copyFile, mkdir, readdir, realpath } from "node:fs/promises";
import { join, resolve } from "node:path";

const clone = resolve(import.meta.dirname, "../..");
const sources = ["apps", "packages", "flows", "skills", "package.json"];

/**
 * Makes a copy of this clone and of the running Bun that every user may read, wherever they lie themselves.
 * Answers what runs the service from there.
 */
export async function copyClone(to: string): Promise<readonly [bun: string, main: string]> {
  const modules = join(to, "node_modules");
  await mkdir(modules, { recursive: true });
  await run(["cp", "-a", ...sources.map((name) => join(clone, name)), to]);
  await run(["chmod", "-R", "a+rX", to]);
  const installed = await realpath(join(clone, "node_modules"));
  const packages = (await readdir(installed))
    .filter((name) => !name.startsWith("."))
    .map((name) => join(installed, name));
  await copyPackages(packages, modules);
  const bun = join(to, "bun");
  await copyFile(process.execPath, bun);
  await chmod(bun, 0o755);
  return [bun, join(to, "apps/server/src/main.ts")];
}

/** Links to the same files where that works and others may read them: it is a matter of hundreds of megabytes. */
async function copyPackages(packages: readonly string[], to: string): Promise<void> {
  const linked = await succeeds(["cp", "-al", ...packages, to]);
  if (linked && (await isReadable(to))) return;
  await run(["rm", "-rf", to]);
  await mkdir(to);
  await run(["cp", "-a", ...packages, to]);
  await run(["chmod", "-R", "a+rX", to]);
}

async function isReadable(folder: string): Promise<boolean> {
  const closed = ["(", "-type", "f", "!", "-perm", "-o=r", "-o", "-type", "d", "!", "-perm", "-o=rx", ")"];
  const find = Bun.spawn(["find", folder, ...closed, "-print", "-quit"], { stdio: ["ignore", "pipe", "inherit"] });
  const found = await new Response(find.stdout).text();
  return (await find.exited) === 0 && found === "";
}

async function succeeds(command: string[]): Promise<boolean> {
  return (await Bun.spawn(command, { stdio: ["ignore", "ignore", "ignore"] }).exited) === 0;
}

async function run(command: string[]): Promise<void> {
  const child = Bun.spawn(command, { stdio: ["ignore", "ignore", "pipe"] });
  const said = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`${command[0]} failed: ${said}`);
}
