import type { ForgeEvent } from "../domain/event.ts";
import { threadLabel } from "../domain/ids.ts";
import type { Published, Run, RunEnd } from "../domain/run.ts";
import type { Ground } from "./ground.ts";
import type { Job, RunDeps } from "./ports.ts";
import { receiptMarker, renderReceipt } from "./receipt.ts";

const serviceAuthor = "service";
const receiptRuns = 40;

/** What made a run, as a person reads it. */
function causeText(event: ForgeEvent): string {
  const who = event.actor.login;
  if (event.kind === "issue.assigned") return `${who} assigned this to ${event.assignee.login}`;
  if (event.kind === "comment.created") return `${who} asked in [a comment](${event.comment.url})`;
  return `${event.kind} by ${who}`;
}

/** The receipt's first form, so that people see at once that their words were heard. */
export async function reportStart(deps: RunDeps, ground: Ground, run: Run): Promise<void> {
  await writeReceipt(deps, { ground, run, suffix: "started", published: null, notes: [], next: null });
}

interface Ending {
  job: Job;
  ground: Ground;
  end: RunEnd;
  published: Published | null;
  notes: readonly string[];
}

/** Ends the run on record and rewrites the lane's receipt; both once, however often it is called. */
export async function report(deps: RunDeps, { job, ground, end, published, notes }: Ending): Promise<RunEnd> {
  const { run } = job;
  const now = deps.clock.now();
  const current = (await deps.runs.get(run.id)) ?? run;
  if (current.state !== "reporting") await deps.runs.enter(run.id, current.state, "reporting", {}, now);
  const failure = end.kind === "failed" ? end.failure : null;
  const finished: Run = { ...current, failure, finishedAt: now, state: "finished" };
  const next = end.kind === "failed" ? nextText(deps.runAttempts, job, end) : null;
  await writeReceipt(deps, { ground, run: finished, suffix: "finished", published, notes, next });
  await deps.runs.finish(run.id, { failure }, now);
  return end;
}

function nextText(limit: number, { task }: Job, end: RunEnd & { kind: "failed" }): string {
  if (end.failure.kind === "interrupted") return "it goes on where it was, by itself, as soon as it may.";
  if (end.failure.retryable && task.attempts < limit)
    return `it is tried again (attempt ${task.attempts + 1} of ${limit}).`;
  return "nothing more happens by itself. Mention the agent in a comment to try again.";
}

interface Writing {
  ground: Ground;
  run: Run;
  suffix: "started" | "finished";
  published: Published | null;
  notes: readonly string[];
  next: string | null;
}

async function writeReceipt(deps: RunDeps, { ground, run, suffix, published, notes, next }: Writing): Promise<void> {
  const { thread, agent } = ground.place;
  const marker = receiptMarker(run.lane);
  const history = (await deps.runs.ofLane(run.lane, receiptRuns)).filter((other) => other.id !== run.id);
  const text = renderReceipt({
    agent: agent.name,
    marker,
    runs: [run, ...history],
    cause: causeText(ground.cause),
    notes,
    work:
      published?.kind === "published"
        ? published
        : published?.kind === "no-change"
          ? { subjects: [], shortstat: "", uncommitted: published.uncommitted }
          : null,
    next,
    now: deps.clock.now(),
  });
  deps.log.debug({ runId: run.id, thread: threadLabel(thread), suffix }, "receipt written");
  await deps.outbox.enqueue({
    key: `run:${run.id}:receipt:${suffix}`,
    author: serviceAuthor,
    thread,
    run: run.id,
    body: { kind: "upsert_comment", number: thread.number, marker, body: deps.redact(text) },
    preconditions: [],
  });
}
