import type { EventKind } from "./event.ts";

/** What one flow made of one event; `why` is a sentence for people, `saw` the values that the condition looked at. */
export type Decision =
  | { flow: string; matched: true; why: string; saw: Record<string, unknown>; dispatches: Dispatch[] }
  | { flow: string; matched: false; why: string; saw: Record<string, unknown> };

/** What the `dispatch` op wants: work for the lane of this agent type and the event's thread. */
export interface Dispatch {
  agentType: string;
  skill: string;
}

/** What was asked of the forge and the configuration before flows are tried on an event. */
export interface MatchFacts {
  /** Null where it could not be asked; `error` then says why, and counts as no. */
  actorPermission: "none" | "read" | "write" | "admin" | null;
  permissionError: string | null;
  /** The actor is one of our own users. */
  actorIsOurs: boolean;
  /** Agent types whose users the text mentions, outside quotes and code. */
  mentionedAgents: string[];
  /** The agent type whose user was assigned by this event. */
  assignedAgent: string | null;
  /** Agent types that have had work on the thread. */
  involvedAgents: string[];
  thread: { number: number; kind: "issue" | "pull_request"; state: "open" | "closed"; labels: string[] } | null;
}

export type FlowEventKind = EventKind;
