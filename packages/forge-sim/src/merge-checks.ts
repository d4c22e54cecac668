import { mergesCleanly } from "./git/diff.ts";
import { branchRef } from "./git/refs.ts";
import type { PullIssue, RepoRecord } from "./state/records.ts";

/** Works out `mergeable` some time after a pull request or one of its branches changed, as Forgejo's queue does. */
export class MergeChecks {
  readonly #delayMs: number;
  readonly #pending = new Set<Promise<void>>();
  readonly #stopped = Promise.withResolvers<"stopped">();

  constructor(delayMs: number) {
    this.#delayMs = delayMs;
  }

  /** From now until the check is done the pull request says `mergeable: false`. */
  schedule(repo: RepoRecord, issue: PullIssue): void {
    issue.pull.mergeable = undefined;
    const check = this.#check(repo, issue).finally(() => this.#pending.delete(check));
    this.#pending.add(check);
  }

  /** Resolves when no check is to come. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  /** Gives up the checks that have not begun. */
  stop(): void {
    this.#stopped.resolve("stopped");
  }

  async #check(repo: RepoRecord, { pull }: PullIssue): Promise<void> {
    const waited = new Promise((resolve) => setTimeout(resolve, this.#delayMs));
    if ((await Promise.race([waited, this.#stopped.promise])) === "stopped") return;
    const head = pull.headSha;
    const base = repo.refs.get(branchRef(pull.baseBranch));
    if (base === undefined) {
      pull.mergeable = false;
      return;
    }
    const clean = await mergesCleanly(repo.dir, base, head);
    // Either branch moved meanwhile: that push scheduled a check of its own.
    const current = pull.headSha === head && repo.refs.get(branchRef(pull.baseBranch)) === base;
    if (current) pull.mergeable = clean;
  }
}
