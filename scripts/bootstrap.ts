/** `bun run demo|test|check`: sets up what a fresh machine lacks, then becomes the command itself. */
import { join, resolve } from "node:path";
import { argumentsOf, jobOf, usage, versionWarning } from "./lib/jobs.ts";
import { installLocked, installPrograms, SetUpError } from "./lib/set-up.ts";

const root = resolve(import.meta.dirname, "..");
const [word, ...rest] = process.argv.slice(2);
const job = jobOf(word);
if (job === undefined) {
  console.error(usage);
  process.exit(2);
}

const { packageManager } = (await Bun.file(join(root, "package.json")).json()) as { packageManager: string };
const warning = versionWarning(Bun.version, packageManager, job);
if (warning !== undefined) console.error(`claude-hooks: ${warning}`);

try {
  await installPrograms(job);
  await installLocked(root);
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  console.error(`claude-hooks: ${error.message}`);
  process.exit(1);
}

// Takes the place of this process, so that signals and the exit code are the command's own.
process.chdir(root);
if (process.execve === undefined) throw new Error(`this Bun cannot do that: use ${packageManager}`);
process.execve(process.execPath, [process.execPath, ...argumentsOf(job, rest)]);
