import type { RunSummary } from "@claude-hooks/api";
import type { TestRun } from "./project-tests.ts";

/** What is there in the end, as found on the forge, at the service and at the model. */
export interface Findings {
  live: boolean;
  pulls: readonly { number: number; state: string }[];
  tests: TestRun;
  /** Of the issue, oldest first. */
  runs: readonly Pick<RunSummary, "session" | "start" | "outcome">[];
  /** On the whole repository. */
  receipts: number;
  /** On the pull request's branch. */
  commits: number;
  /** Requests that the script did not expect, in words. */
  unexpected: readonly string[];
}

export interface Check {
  name: string;
  ok: boolean;
  detail: string;
}

/** Everything that must hold; the real model is free in how many commits it makes, and no script has expectations of it. */
export function judge(found: Findings): Check[] {
  const { live, pulls, tests, runs, receipts, commits, unexpected } = found;
  const [first, second] = runs;
  const same = first !== undefined && first.session !== null && first.session === second?.session;
  const sessions = new Set(runs.map(({ session }) => session ?? "none"));
  const checks: Check[] = [
    { name: "exactly one pull request", ok: pulls.length === 1, detail: pulls.map(pullText).join(", ") || "none" },
    { name: "the project's own tests pass on its head", ok: tests.passed, detail: tests.detail },
    {
      name: "two runs, and both succeeded",
      ok: runs.length === 2 && runs.every(({ outcome }) => outcome === "succeeded"),
      detail: runs.map(({ outcome }) => outcome).join(", ") || "none",
    },
    { name: "both runs have the same session", ok: same, detail: [...sessions].join(", ") },
    {
      name: "the second run resumed it",
      ok: second?.start?.startsWith("resumed") === true,
      detail: second?.start ?? "there was none",
    },
    { name: "exactly one receipt", ok: receipts === 1, detail: String(receipts) },
    live
      ? { name: "two commits or more on the branch", ok: commits >= 2, detail: String(commits) }
      : { name: "two commits on the branch", ok: commits === 2, detail: String(commits) },
  ];
  if (live) return checks;
  return [
    ...checks,
    { name: "the model was asked nothing unexpected", ok: unexpected.length === 0, detail: unexpected.join("; ") },
  ];
}

const pullText = ({ number, state }: { number: number; state: string }): string => `#${number}, ${state}`;
