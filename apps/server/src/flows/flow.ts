import type { Dispatch, FlowEventKind } from "../domain/flow.ts";
import type { Contexts } from "./contexts.ts";
import type { Expression } from "./expressions.ts";

/** What an event must be like for a flow to look at it; null is no limit. */
export interface Filters {
  /** The assigned user is an agent's. */
  assignee: "agent" | null;
  /** The text mentions an agent, outside quotes and code. */
  mentions: "agent" | null;
  /** What the actor may do in the repository, asked of the forge when the event comes. */
  by: "writer" | "maintainer";
  /** `owner/repo`, in lower case. */
  repositories: readonly string[] | null;
  /** The thread has at least one of them. */
  labels: readonly string[] | null;
}

/** A flow that was checked against everything that it names: it can be tried on any event without a fault. */
export interface Flow {
  /** Unique in a set of flows. */
  name: string;
  description: string | null;
  file: string;
  origin: "default" | "custom";
  on: Readonly<Partial<Record<FlowEventKind, Filters>>>;
  condition: Expression | null;
  steps: readonly Step[];
}

export interface Step {
  id: string;
  uses: string;
  plan(contexts: Contexts): StepPlan;
}

/** What a step wants for one event; `idle` says why it wants nothing. */
export type StepPlan = { kind: "dispatch"; dispatches: readonly Dispatch[] } | { kind: "idle"; why: string };
