import { branchFor } from "../domain/agent.ts";
import { type LaneReset, operator } from "../domain/lane.ts";
import type { RebuiltFrom } from "../domain/rebuild.ts";
import type { AgentOutcome, RunFailure } from "../domain/run.ts";
import type { SessionStart } from "../domain/session.ts";
import type { Ground } from "./ground.ts";
import { StoppedByPerson } from "./live.ts";
import type { Prompts, RunDeps, Workplace } from "./ports.ts";
import { gatherRemains, isLost, rebuiltFrom } from "./rebuild.ts";
import { Steering } from "./steering.ts";

/**
 * The part of a run that a person can stop, and reach: from the checkout to the agent's last word. Null where the agent
 * did its work, and the run is `publishing`. What no turn took in is the caller's to give back where it failed.
 */
export async function letAgentWork(
  deps: RunDeps,
  ground: Ground,
  notes: string[],
  signal: AbortSignal,
): Promise<RunFailure | null> {
  const stop = new AbortController();
  let news = (): void => {};
  const onSteering = (steering: Steering): void => void (news = () => steering.news());
  using _live = deps.live.enter(ground.place.run.lane, { stop, news: () => news() });
  try {
    const failure = await prepareAndRun(deps, { ground, notes, onSteering }, AbortSignal.any([signal, stop.signal]));
    return stoppedBy(stop) ?? failure;
  } catch (error) {
    const stopped = stoppedBy(stop);
    if (stopped === null) throw error;
    return stopped;
  }
}

function stoppedBy({ signal }: AbortController): RunFailure | null {
  if (!(signal.reason instanceof StoppedByPerson)) return null;
  return { kind: "cancelled", retryable: false, detail: signal.reason.message };
}

interface Beginning {
  ground: Ground;
  notes: string[];
  onSteering: (steering: Steering) => void;
}

async function prepareAndRun(
  deps: RunDeps,
  { ground, notes, onSteering }: Beginning,
  signal: AbortSignal,
): Promise<RunFailure | null> {
  const { place } = ground;
  const { run } = place;
  const forgotten = await deps.forgotten(run);
  const workplace = await deps.workplaces.prepare(place, signal);
  notes.push(...workplace.notes);
  const patch = { headBefore: workplace.head, base: workplace.base };
  await deps.runs.enter(run.id, "preparing", "starting", patch, deps.clock.now());
  const { prompts, untold } = await promptsOf(deps, ground, workplace);
  await deps.inbox.offer(run.id, run.lane, prompts.told);
  await deps.runs.enter(run.id, "starting", "running", {}, deps.clock.now());
  const steering = new Steering(deps, place, prompts.told);
  onSteering(steering);
  const opening = new Opening(deps, ground, { prompts, workplace, untold });
  const request = { place, system: prompts.system, prompt: (start: SessionStart) => opening.prompt(start) };
  const outcome = await (async () => {
    try {
      return await deps.runAgent({ ...request, live: steering }, signal);
    } finally {
      await steering.close();
    }
  })();
  return await settle(deps, ground, outcome, { prompts, start: opening.told(outcome.start, forgotten) });
}

async function promptsOf(
  deps: RunDeps,
  { place, subject }: Ground,
  { base }: Workplace,
): Promise<{ prompts: Prompts; untold: ReadonlySet<number> }> {
  const { run, agent, thread, settings } = place;
  const events = await deps.entries(await deps.inbox.pending(run.lane));
  const [last] = (await deps.runs.ofLane(run.lane, 2)).filter(({ id }) => id !== run.id);
  const prompts = deps.prompts({
    agent,
    skill: run.skill,
    thread,
    subject,
    branch: branchFor(agent, thread.number),
    base: base.branch,
    testCommand: settings.testCommand,
    events,
    lastFailure: last?.failure ?? null,
  });
  return { prompts, untold: new Set(events.flatMap(({ event }) => ("comment" in event ? [event.comment.id] : []))) };
}

interface Written {
  prompts: Prompts;
  workplace: Workplace;
  untold: ReadonlySet<number>;
}

/** The first words of an agent, once it is known how its session begins, and what is told people of that beginning. */
class Opening {
  readonly #deps: RunDeps;
  readonly #ground: Ground;
  readonly #written: Written;
  #rebuiltFrom: RebuiltFrom | null = null;

  constructor(deps: RunDeps, ground: Ground, written: Written) {
    this.#deps = deps;
    this.#ground = ground;
    this.#written = written;
  }

  async prompt(start: SessionStart): Promise<string> {
    const { prompts, workplace, untold } = this.#written;
    if (start.kind === "resumed") return prompts.resumed;
    if (!isLost(start)) return prompts.fresh;
    const remains = await gatherRemains(this.#deps, this.#ground.place, workplace.base, untold);
    this.#rebuiltFrom = rebuiltFrom(remains);
    return prompts.rebuilt(remains);
  }

  told(start: SessionStart, forgotten: LaneReset | null): SessionStart {
    if (start.kind === "resumed") return start;
    if (this.#rebuiltFrom !== null) return { ...start, rebuiltFrom: this.#rebuiltFrom };
    if (forgotten === null || start.reason !== "none") return start;
    return {
      ...start,
      detail: `${forgotten.by} asked for it with ${forgotten.by === operator ? "`sessions reset`" : "/reset"}`,
    };
  }
}

async function settle(
  deps: RunDeps,
  { place: { run } }: Ground,
  outcome: AgentOutcome,
  { prompts, start }: { prompts: Prompts; start: SessionStart },
): Promise<RunFailure | null> {
  const { session } = outcome;
  const report = outcome.report === null ? null : { ...outcome.report, summary: deps.redact(outcome.report.summary) };
  if (outcome.kind === "failed") {
    await deps.runs.update(run.id, { session, start, report });
    return outcome.failure;
  }
  await deps.inbox.consume(run.id, prompts.told);
  await deps.inbox.giveBack(run.id);
  await deps.runs.enter(run.id, "running", "publishing", { session, start, report }, deps.clock.now());
  return null;
}
