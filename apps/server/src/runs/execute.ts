import type { Published, Run, RunEnd, RunFailure } from "../domain/run.ts";
import { failureOf, findGround, type Ground, type GroundFound } from "./ground.ts";
import type { Job, RunDeps } from "./ports.ts";
import { openPullRequest } from "./pull-request.ts";
import { report, reportStart } from "./report.ts";
import { letAgentWork } from "./work.ts";

/**
 * One run as a story: ground → checkout → agent → publish → pull request → report.
 * Called again for a run that was stopped in `publishing` or `reporting`, it goes on from there and does nothing twice.
 */
export async function executeRun(deps: RunDeps, job: Job, signal: AbortSignal): Promise<RunEnd> {
  const ground = await findGround(deps, job);
  if (ground.kind !== "ground") return await withoutGround(deps, job, ground);
  try {
    return await tell(deps, job, ground.ground, signal);
  } catch (error) {
    const failure: RunFailure = signal.aborted
      ? { kind: "interrupted", retryable: true, detail: "the service was stopped" }
      : failureOf(error);
    if (failure.kind === "internal-error") deps.log.error({ runId: job.run.id, error }, "run met an unexpected error");
    await deps.inbox.giveBack(job.run.id);
    return await report(deps, {
      job,
      ground: ground.ground,
      end: { kind: "failed", failure },
      published: null,
      notes: [],
    });
  }
}

async function tell(deps: RunDeps, job: Job, ground: Ground, signal: AbortSignal): Promise<RunEnd> {
  const run = (await deps.runs.get(job.run.id)) ?? job.run;
  const notes: string[] = [];
  if (run.state === "preparing") {
    await reportStart(deps, ground, run);
    const failure = await letAgentWork(deps, ground, notes, signal);
    if (failure !== null) {
      await deps.inbox.giveBack(run.id);
      return await report(deps, { job, ground, end: { kind: "failed", failure }, published: null, notes });
    }
  }
  const published = await publish(deps, run, ground, signal);
  if (published.kind === "failed" && (signal.aborted || isWorthAnotherPush(published.failure, job)))
    return { kind: "suspended" };
  const end = await openPullRequest(deps, ground, run, published, signal);
  if (end.kind === "suspended") return end;
  return await report(deps, { job, ground, end, published, notes });
}

/** The agent has done its part: what is tried again is the push alone. */
const isWorthAnotherPush = ({ kind }: RunFailure, { lastTry }: Job): boolean => kind === "push-failed" && !lastTry;

async function withoutGround(
  deps: RunDeps,
  { run }: Job,
  found: Exclude<GroundFound, { kind: "ground" }>,
): Promise<RunEnd> {
  if (found.kind === "cancelled") {
    await deps.runs.finish(
      run.id,
      { failure: { kind: "cancelled", retryable: false, detail: found.why } },
      deps.clock.now(),
    );
    return { kind: "cancelled", why: found.why };
  }
  if (run.state !== "preparing") return { kind: "suspended" };
  await deps.runs.finish(run.id, { failure: found.failure }, deps.clock.now());
  return { kind: "failed", failure: found.failure };
}

async function publish(deps: RunDeps, before: Run, ground: Ground, signal: AbortSignal): Promise<Published> {
  const run = (await deps.runs.get(before.id)) ?? before;
  if (run.base === null) throw new Error(`run ${run.id} has no base on record, and so cannot be published`);
  const published = await deps.workplaces.publish({ ...ground.place, run }, run.base, signal);
  if (published.kind === "failed") return published;
  await deps.runs.update(run.id, {
    headAfter: published.head,
    commits: published.kind === "published" ? published.commits : 0,
  });
  return published;
}
