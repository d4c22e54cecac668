import type { Clock, SessionId } from "../domain/ids.ts";
import type { LiveHooks } from "../domain/live.ts";
import type { AgentOutcome, AgentReport, RunFailure } from "../domain/run.ts";
import type { Session, SessionStart, SessionTotals } from "../domain/session.ts";
import type { Timers } from "../domain/timers.ts";
import type { AgentRuntime, AgentStart } from "./agent-runtime.ts";
import { attempt } from "./attempt.ts";
import { failureOf, type ResumeFailureReason, resumeFailure } from "./failures.ts";
import type { Bounds, Seen } from "./seen.ts";
import { spentSince } from "./totals.ts";

export interface RunAgentDeps {
  runtime: AgentRuntime;
  clock: Clock;
  timers: Timers;
  sessions: LaneSessions;
  /** Awaited before the session is dropped, so that a crash between the two counts it twice rather than never. */
  countResumeFailure(reason: SessionLossReason): Promise<void>;
}

/** Why a session that should have been resumed was not. */
export type SessionLossReason = ResumeFailureReason | "transcript-missing";

/** The session row of the run's lane. */
export interface LaneSessions {
  /** As soon as the agent names its session, so that a crash does not lose it, and again when it ends; totals null: as they were. */
  keep(session: SessionId, usedAt: number, totals: SessionTotals | null): Promise<void>;
  drop(session: SessionId): Promise<void>;
}

export interface AgentRunRequest {
  agent: Omit<AgentStart, "resume">;
  bounds: Bounds;
  /** What `chooseSession` made of the lane's session; what it drops, the run drops first. */
  choice: {
    start: SessionStart;
    resume: Session | null;
    drop: { session: SessionId; counts: SessionLossReason | null } | null;
  };
  /** The totals kept with the session to be resumed; null where none are known. */
  totalsBefore: SessionTotals | null;
  /** Asked for once per process, so at most twice: a fresh start after a lost session needs another prompt. */
  prompt: (start: SessionStart) => Promise<string>;
  /** Until when the model's own answer said that we are limited, where it did; asked only after such an answer. */
  limitedUntil: () => number | null;
  live: LiveHooks;
}

/**
 * One run of an agent: resumed where the lane has a session, and begun afresh, once, where the agent says that there is no
 * such session. No other failure drops a session. Aborting the signal means that the service stops.
 */
export async function runAgent(
  deps: RunAgentDeps,
  request: AgentRunRequest,
  signal: AbortSignal,
): Promise<AgentOutcome> {
  const { choice } = request;
  if (choice.drop !== null) await lose(deps, choice.drop.session, choice.drop.counts);
  if (choice.resume === null) return begin(deps, request, { start: choice.start, resume: null }, signal);
  const resumed = await runProcess(deps, request, { start: choice.start, resume: choice.resume.id }, signal);
  const reason = resumeFailure(resumed);
  if (reason === null) return finish(deps, request, choice.start, resumed, request.totalsBefore);
  await lose(deps, choice.resume.id, reason);
  const detail = resumed.result?.text ?? reason;
  return begin(deps, request, { start: { kind: "fresh", reason: "resume-failed", detail }, resume: null }, signal);
}

async function lose(deps: RunAgentDeps, session: SessionId, reason: SessionLossReason | null): Promise<void> {
  if (reason !== null) await deps.countResumeFailure(reason);
  await deps.sessions.drop(session);
}

interface Way {
  start: SessionStart;
  resume: SessionId | null;
}

async function begin(
  deps: RunAgentDeps,
  request: AgentRunRequest,
  way: Way,
  signal: AbortSignal,
): Promise<AgentOutcome> {
  return finish(deps, request, way.start, await runProcess(deps, request, way, signal), null);
}

async function runProcess(deps: RunAgentDeps, request: AgentRunRequest, way: Way, signal: AbortSignal): Promise<Seen> {
  const prompt = await request.prompt(way.start);
  const onSession = (session: SessionId) => deps.sessions.keep(session, deps.clock.now(), null);
  const start = { ...request.agent, resume: way.resume };
  return attempt(deps, { start, prompt, bounds: request.bounds, onSession, live: request.live }, signal);
}

async function finish(
  { sessions, clock }: RunAgentDeps,
  { bounds, limitedUntil }: Pick<AgentRunRequest, "bounds" | "limitedUntil">,
  start: SessionStart,
  seen: Seen,
  totalsBefore: SessionTotals | null,
): Promise<AgentOutcome> {
  const now = clock.now();
  const { session } = seen;
  if (session !== null) await sessions.keep(session, now, seen.totals);
  const failure = failureOf(seen, bounds, { now, limitedUntil });
  const report = reportOf(seen, totalsBefore);
  if (failure !== null || report === null || session === null)
    return { kind: "failed", failure: failure ?? nameless, report, session, start };
  return { kind: "completed", report, session, start };
}

/** A turn that ended well before any session was named. */
const nameless: RunFailure = {
  kind: "agent-error",
  retryable: true,
  detail: "The agent ended without naming its session, so it cannot be resumed.",
};

function reportOf({ result, turns, totals }: Seen, totalsBefore: SessionTotals | null): AgentReport | null {
  if (result === null) return null;
  return { summary: result.text, turns, ...spentSince(totalsBefore, totals) };
}
