import { globSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { aptInstall, missingFor, type Need, planFor } from "./debian.ts";
import type { Job } from "./jobs.ts";
import { run } from "./shell.ts";
import { stampOf } from "./stamp.ts";

/** A set-up that cannot go on; the message says what to do. */
export class SetUpError extends Error {}

const say = (text: string) => process.stderr.write(`claude-hooks: ${text}\n`);

/** Installs the locked packages, unless the last install was of the same lock. */
export async function installLocked(root: string): Promise<void> {
  const stampFile = join(root, "node_modules", ".claude-hooks-installed");
  const stamp = stampOf(await readFile(join(root, "bun.lock")), `${process.platform}-${process.arch}`);
  if ((await readFile(stampFile, "utf8").catch(() => undefined)) === stamp) return;

  say("installing the locked packages (the first time takes a minute or so) …");
  const { code, output } = await run([process.execPath, "install", "--frozen-lockfile"], { cwd: root });
  if (code !== 0)
    throw new SetUpError(`${output}\nthe packages could not be installed: see above, then run this again`);
  await writeFile(stampFile, stamp);
}

/** Makes sure that the programs of a job are there: installs them as root, and says how otherwise. */
export async function installPrograms(job: Job): Promise<void> {
  const missing = missingFor(job, hasProgram);
  const plan = planFor(missing, {
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    hasApt: hasProgram("apt-get"),
  });
  switch (plan.kind) {
    case "ready":
      return;
    case "stop":
      throw new SetUpError(plan.message);
    case "install":
      say(`installing Debian packages: ${plan.packages.join(", ")} …`);
      await withoutCluster(missing, () => aptGet(plan.packages));
      break;
    default:
      return plan satisfies never;
  }
  const still = missingFor(job, hasProgram);
  if (still.length > 0)
    throw new SetUpError(`still missing after the install: ${still.map(({ program }) => program).join(", ")}`);
}

/** PostgreSQL's server programs are on no PATH: Debian keeps them by version. */
function hasProgram(program: string): boolean {
  if (program === "initdb") return globSync("/usr/lib/postgresql/*/bin/initdb").length > 0;
  return Bun.which(program, { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/bin:/sbin:/bin` }) !== null;
}

async function aptGet(packages: readonly string[]): Promise<void> {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const lock = "-oDPkg::Lock::Timeout=300";
  const [program = "", ...rest] = aptInstall(packages);
  const first = await run([program, lock, ...rest], { env });
  if (first.code === 0) return;

  // The lists may be absent or old; with new ones it is worth one more try.
  const update = await run([program, lock, "update"], { env });
  const second = await run([program, lock, ...rest], { env });
  if (second.code === 0) return;
  throw new SetUpError(`${update.output}${second.output}\nthe packages could not be installed: see above`);
}

/** Debian's package would make and start a database server of its own; only its programs are wanted. */
async function withoutCluster(missing: readonly Need[], install: () => Promise<void>): Promise<void> {
  if (!missing.some((need) => need.package === "postgresql")) return await install();
  const setting = "/etc/postgresql-common/createcluster.d/claude-hooks.conf";
  await mkdir(dirname(setting), { recursive: true });
  await writeFile(setting, "create_main_cluster = off\n");
  try {
    await install();
  } finally {
    await rm(setting, { force: true });
  }
}
