import type { ExplainedEvent, RunDetail, RunSummary } from "@claude-hooks/api";
import type { Effect } from "../domain/effect.ts";
import type { ForgeEvent } from "../domain/event.ts";
import { failureText } from "../domain/failure-text.ts";
import type { Decision } from "../domain/flow.ts";
import { laneLabel, threadLabel } from "../domain/ids.ts";
import type { Run } from "../domain/run.ts";
import { startText } from "../domain/session-text.ts";
import type { Thread } from "../domain/thread.ts";

export function runSummary(run: Run, thread: Thread): RunSummary {
  return {
    id: run.id,
    lane: laneLabel(run.agentType, thread),
    thread: threadLabel(thread),
    agent: run.agentType,
    skill: run.skill,
    attempt: run.attempt,
    state: run.state,
    outcome: outcome(run),
    failure: run.failure === null ? null : failureText(run.failure),
    start: run.start === null ? null : startText(run.start, run.startedAt),
    session: run.session,
    branch: run.branch,
    commits: run.commits,
    pull_request: run.pullRequest,
    turns: run.report?.turns ?? null,
    cost_usd: run.report?.costUsd ?? null,
    started_at: run.startedAt,
    finished_at: run.finishedAt,
  };
}

function outcome(run: Run): RunSummary["outcome"] {
  if (run.finishedAt === null) return "running";
  if (run.failure === null) return "succeeded";
  return run.failure.kind === "cancelled" ? "cancelled" : "failed";
}

export function runDetail(run: Run, thread: Thread, cause: ForgeEvent | null, effects: readonly Effect[]): RunDetail {
  return {
    ...runSummary(run, thread),
    cause: cause === null ? "not on record any more" : `${cause.kind} by ${cause.actor.login}`,
    head_before: run.headBefore,
    head_after: run.headAfter,
    summary: run.report?.summary ?? null,
    state_times: Object.fromEntries(Object.entries(run.stateTimes)),
    effects: effects.map((effect) => ({
      key: effect.key,
      kind: effect.body.kind,
      state: effect.state,
      url: effect.result?.url ?? null,
      error: effect.error,
    })),
  };
}

export function explainedEvent(
  event: ForgeEvent,
  thread: Thread | null,
  decisions: readonly Decision[] | null,
): ExplainedEvent {
  return {
    id: event.id,
    kind: event.kind,
    semantic_key: event.semanticKey,
    thread: thread === null ? null : threadLabel(thread),
    actor: event.actor.login,
    received_at: event.receivedAt,
    delivery: event.delivery,
    decided: decisions !== null,
    decisions: (decisions ?? []).map(({ flow, matched, why, saw }) => ({ flow, matched, why, saw })),
  };
}
