const jobs = ["demo", "test", "check"] as const;

/** What a person may ask of the repository by `bun run`. */
export type Job = (typeof jobs)[number];

/** Undefined for anything that is no job. */
export function jobOf(word: string | undefined): Job | undefined {
  return jobs.find((job) => job === word);
}

export const usage = `usage: bun run ${jobs.join("|")} [arguments]`;

/** Arguments of Bun itself; the person's own come last, and so win. */
export function argumentsOf(job: Job, rest: readonly string[]): string[] {
  switch (job) {
    case "demo":
      return ["apps/cli/src/main.ts", "demo", ...rest];
    case "test":
      return ["test", "--parallel", "--timeout=30000", ...rest];
    case "check":
      return ["scripts/check.ts", ...rest];
    default:
      return job satisfies never;
  }
}

/** What to say when this is not the Bun that package.json's `packageManager` names; undefined when it is. */
export function versionWarning(running: string, packageManager: string, job: Job): string | undefined {
  const wanted = packageManager.replace(/^bun@/, "");
  if (running === wanted) return undefined;
  return `this is Bun ${running}, and claude-hooks is built and tested on ${wanted}: use \`npx -y bun@${wanted} run ${job}\``;
}
