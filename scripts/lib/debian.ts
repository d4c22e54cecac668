import type { Job } from "./jobs.ts";

/** A program that a job starts, and the Debian package that brings it. */
export interface Need {
  program: string;
  package: string;
  jobs: readonly Job[];
}

export const needs: readonly Need[] = [
  { program: "git", package: "git", jobs: ["demo", "test"] },
  { program: "bwrap", package: "bubblewrap", jobs: ["demo", "test"] },
  { program: "tini", package: "tini", jobs: ["demo", "test"] },
  { program: "setpriv", package: "util-linux", jobs: ["demo", "test"] },
  { program: "prlimit", package: "util-linux", jobs: ["demo", "test"] },
  { program: "initdb", package: "postgresql", jobs: ["test"] },
];

export interface Machine {
  platform: string;
  isRoot: boolean;
  hasApt: boolean;
}

export type Plan =
  | { kind: "ready" }
  | { kind: "install"; packages: string[] }
  /** Nothing was changed; the message ends with what the person can do. */
  | { kind: "stop"; message: string };

/** The needs of a job that this machine does not meet. */
export function missingFor(job: Job, has: (program: string) => boolean): Need[] {
  return needs.filter((need) => need.jobs.includes(job) && !has(need.program));
}

export function planFor(missing: readonly Need[], machine: Machine): Plan {
  if (missing.length === 0) return { kind: "ready" };
  const programs = missing.map(({ program }) => program).join(", ");
  if (machine.platform !== "linux")
    return { kind: "stop", message: `missing: ${programs}. Agents are jailed by Linux itself: use a Linux machine.` };
  if (!machine.hasApt)
    return {
      kind: "stop",
      message: `missing: ${programs}. Install them with this machine's package manager, then run this again.`,
    };
  const packages = [...new Set(missing.map((need) => need.package))];
  if (machine.isRoot) return { kind: "install", packages };
  const command = `sudo ${aptInstall(packages).join(" ")}`;
  return { kind: "stop", message: `missing: ${programs}. Run this, then try again:\n\n  ${command}\n` };
}

/** The command that installs these packages without a question. */
export function aptInstall(packages: readonly string[]): string[] {
  return ["apt-get", "install", "-y", "--no-install-recommends", ...packages];
}
