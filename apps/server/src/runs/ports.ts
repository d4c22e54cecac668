import type { AgentType } from "../domain/agent.ts";
import type { EffectBody, EffectResult, Precondition } from "../domain/effect.ts";
import type { ForgeEvent, Snapshot } from "../domain/event.ts";
import type { Forge, RepositoryInfo } from "../domain/forge.ts";
import type { Clock, EventId, LaneKey, RunId, ThreadId } from "../domain/ids.ts";
import type { InboxEntry } from "../domain/inbox.ts";
import type { LaneReset } from "../domain/lane.ts";
import type { LiveHooks } from "../domain/live.ts";
import type { Log } from "../domain/log.ts";
import type { Remains } from "../domain/rebuild.ts";
import type { AgentOutcome, Published, Run, RunBase, RunFailure, RunState } from "../domain/run.ts";
import type { SessionStart } from "../domain/session.ts";
import type { Task } from "../domain/task.ts";
import type { Thread } from "../domain/thread.ts";
import type { LiveRuns } from "./live.ts";

/** What a run may change of itself while it goes on. */
export type RunPatch = Partial<
  Pick<
    Run,
    "session" | "start" | "headBefore" | "headAfter" | "base" | "commits" | "pullRequest" | "report" | "failure"
  >
>;

export interface RunBook {
  /** Moves a run on from one state to the next; false where it was not in `from`, and nothing changed. */
  enter(run: RunId, from: RunState, to: RunState, patch: RunPatch, now: number): Promise<boolean>;
  update(run: RunId, patch: RunPatch): Promise<void>;
  finish(run: RunId, patch: RunPatch, now: number): Promise<void>;
  get(run: RunId): Promise<Run | null>;
  /** Newest first. */
  ofLane(lane: LaneKey, limit: number): Promise<Run[]>;
}

export interface Inbox {
  /** What the lane's agent has not been told, in order. */
  pending(lane: LaneKey): Promise<EventId[]>;
  offer(run: RunId, lane: LaneKey, events: readonly EventId[]): Promise<void>;
  /** A turn that was given them has completed. */
  consume(run: RunId, events: readonly EventId[]): Promise<void>;
  /** What the run was offered and did not consume, of `events` where that is given, waits for the next run. */
  giveBack(run: RunId, events?: readonly EventId[]): Promise<void>;
}

/** A lane's checkout on its branch, ready for the agent. */
export interface Workplace {
  head: string;
  base: RunBase;
  /** What a person should know about how it was made, e.g. that work was kept aside. */
  notes: readonly string[];
}

export interface Workplaces {
  /** Rejects with a {@link RunStopped} whose failure says what to do. */
  prepare(place: PlaceRequest, signal: AbortSignal): Promise<Workplace>;
  /** Safe to call again after a crash anywhere in it. */
  publish(place: PlaceRequest, base: RunBase, signal: AbortSignal): Promise<Published>;
}

export interface PlaceRequest {
  run: Run;
  thread: Thread;
  agent: AgentType;
  repository: RepositoryInfo;
  settings: RepositorySettings;
}

export interface RepositorySettings {
  baseBranch: string | null;
  setup: string | null;
  testCommand: string | null;
}

export interface AgentRequest {
  place: PlaceRequest;
  /** The same bytes for every run of an agent type in a repository. */
  system: string;
  /** How it begins shows only when the agent starts; asked again where a resume failed. */
  prompt: (start: SessionStart) => Promise<string>;
  live: LiveHooks;
}

/** What the agent is told: `fresh` begins a session, `resumed` goes on with one, `rebuilt` stands in for one that is lost. */
export interface Prompts {
  system: string;
  fresh: string;
  resumed: string;
  rebuilt(remains: Remains): string;
  /** The events that all of them tell of; what did not fit waits for the next run. */
  told: readonly EventId[];
}

export interface PromptInputs {
  agent: AgentType;
  skill: string;
  thread: Thread;
  /** The issue as it was when its event was stored: later edits do not change what was asked. */
  subject: Snapshot;
  branch: string;
  base: string;
  testCommand: string | null;
  /** Empty where an earlier run was told of everything, and did not come to its end. */
  events: readonly InboxEntry[];
  /** Why the lane's last run did not do its work. */
  lastFailure: RunFailure | null;
}

/** What a working agent is told. */
export interface Message {
  text: string;
  /** What did not fit waits for the next one. */
  told: readonly EventId[];
}

export interface NewEffect {
  key: string;
  author: string;
  thread: Thread;
  run: RunId | null;
  body: EffectBody;
  preconditions: Precondition[];
}

export type EffectEnd =
  | { state: "done"; result: EffectResult }
  | { state: "superseded" | "parked"; error: string }
  | { state: "unfinished" };

export interface Outbox {
  /** Storing the same key again changes nothing. */
  enqueue(effect: NewEffect): Promise<void>;
  /** Resolves when the effect has ended, or with `unfinished` when the signal aborts. */
  ended(key: string, signal: AbortSignal): Promise<EffectEnd>;
}

export interface RunDeps {
  clock: Clock;
  log: Log;
  runs: RunBook;
  inbox: Inbox;
  events: { get(id: EventId): Promise<ForgeEvent | null> };
  /** In this order; what is not on record any more is left out. */
  entries(ids: readonly EventId[]): Promise<InboxEntry[]>;
  threads: { get(id: ThreadId): Promise<Thread | null>; linkRef(thread: ThreadId, number: number): Promise<void> };
  workplaces: Workplaces;
  outbox: Outbox;
  prompts(inputs: PromptInputs): Prompts;
  steer(entries: readonly InboxEntry[]): Message;
  live: Pick<LiveRuns, "enter">;
  /** Somebody had the lane's agent forget since its last run; what it remembered is gone when this resolves. */
  forgotten(run: Run): Promise<LaneReset | null>;
  history: History;
  runAgent(request: AgentRequest, signal: AbortSignal): Promise<AgentOutcome>;
  agent(name: string): AgentType | null;
  repositorySettings(thread: Thread): RepositorySettings | null;
  forge(thread: Thread): Pick<Forge, "repository" | "issue" | "comments" | "permission">;
  /** Who these users are to us: an agent or the service itself. */
  isOurs(thread: Thread, login: string): boolean;
  /** Every number of the thread. */
  numbers(thread: ThreadId): Promise<number[]>;
  redact(text: string): string;
  /** How often a task is tried before it fails for good. */
  runAttempts: number;
}

/** Ends a run from within with a failure that is already put in words. */
export class RunStopped extends Error {
  override readonly name = "RunStopped";
  readonly failure: RunFailure;

  constructor(failure: RunFailure, options?: ErrorOptions) {
    super(failure.kind, options);
    this.failure = failure;
  }
}

/** What a branch adds to its base, read where the agent cannot have touched it. */
export type History = (place: PlaceRequest, base: RunBase) => Promise<Pick<Remains, "log" | "diff">>;

export interface Job {
  run: Run;
  task: Task;
  /** What cannot be published now is given up. */
  lastTry: boolean;
}
