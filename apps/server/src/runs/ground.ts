import type { ForgeEvent, Snapshot } from "../domain/event.ts";
import { ForgeError } from "../domain/forge.ts";
import type { RunFailure } from "../domain/run.ts";
import { type Job, type PlaceRequest, type RunDeps, RunStopped } from "./ports.ts";

/** What a run stands on once it is sure that it should run at all. */
export interface Ground {
  place: PlaceRequest;
  cause: ForgeEvent;
  subject: Snapshot;
}

export type GroundFound =
  | { kind: "ground"; ground: Ground }
  | { kind: "cancelled"; why: string }
  | { kind: "failed"; failure: RunFailure };

/** Looks again at everything that may have changed while the task waited. */
export async function findGround(deps: RunDeps, { run, task }: Job): Promise<GroundFound> {
  const [thread, cause] = await Promise.all([deps.threads.get(run.thread), deps.events.get(task.cause)]);
  if (thread === null || cause === null)
    return { kind: "cancelled", why: "its thread or its event is not on record any more" };
  const agent = deps.agent(run.agentType);
  if (agent === null) return { kind: "cancelled", why: `agent type ${run.agentType} is not configured any more` };
  const settings = deps.repositorySettings(thread);
  if (settings === null) return { kind: "cancelled", why: `${thread.repository} is not watched any more` };
  try {
    const forge = deps.forge(thread);
    const repository = await forge.repository(thread.repositoryId);
    const live = await forge.issue(repository.name, thread.number);
    const place = { run, thread: { ...thread, repository: repository.name }, agent, repository, settings };
    const stale =
      run.state === "preparing" ? staleReason(cause, live, repository.archived, agent.logins[thread.forge]) : null;
    if (stale !== null) return { kind: "cancelled", why: stale };
    return { kind: "ground", ground: { place, cause, subject: subjectOf(cause, live) } };
  } catch (error) {
    return { kind: "failed", failure: failureOf(error) };
  }
}

/** Looked at again when the run starts, since much can happen while a task waits. */
function staleReason(cause: ForgeEvent, live: Snapshot, archived: boolean, login: string | undefined): string | null {
  if (archived) return "the repository is archived";
  if (live.state === "closed") return "it was closed before the run started";
  const assigned = live.assignees.some((user) => user.login.toLowerCase() === login?.toLowerCase());
  if (cause.kind === "issue.assigned" && !assigned) return "the agent was unassigned before the run started";
  return null;
}

/** The revision that was stored with the event; a comment on the pull request still belongs to its issue's text. */
function subjectOf(cause: ForgeEvent, live: Snapshot): Snapshot {
  return "subject" in cause && cause.subject.number === live.number ? cause.subject : live;
}

/** A failure for whatever was thrown; what nobody foresaw is a fault of the service, and says so. */
export function failureOf(error: unknown): RunFailure {
  if (error instanceof RunStopped) return error.failure;
  if (error instanceof ForgeError) return { kind: "forge-failed", retryable: true, detail: error.message };
  return { kind: "internal-error", retryable: true, detail: error instanceof Error ? error.message : String(error) };
}
