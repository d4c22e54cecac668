declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Ids of ours are UUIDv7 text, so that their order is the order of creation (RFC 9562). */
export type DeliveryId = Branded<"DeliveryId">;
export type EventId = Branded<"EventId">;
export type ThreadId = Branded<"ThreadId">;
export type TaskId = Branded<"TaskId">;
export type RunId = Branded<"RunId">;
export type EffectId = Branded<"EffectId">;

/** What the agent runtime calls its session; for Claude a UUID. */
export type SessionId = Branded<"SessionId">;
/** Agent type + thread: `<agent type>:<thread id>`; one run at a time, and the session's key. Shown as {@link laneLabel}. */
export type LaneKey = Branded<"LaneKey">;
/** A forge's name in the configuration. */
export type ForgeId = Branded<"ForgeId">;

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export const laneKey = (agentType: string, thread: ThreadId): LaneKey => `${agentType}:${thread}` as LaneKey;

/** The agent type and the thread of a lane. */
export function laneParts(lane: LaneKey): { agentType: string; thread: ThreadId } {
  const [agentType = "", thread = ""] = lane.split(":", 2);
  return { agentType, thread: thread as ThreadId };
}

/** How people see a lane, a thread and a session: `dev:owner/repo#430`. */
export const laneLabel = (agentType: string, thread: { repository: string; number: number }): string =>
  `${agentType}:${threadLabel(thread)}`;

export const threadLabel = (thread: { repository: string; number: number }): string =>
  `${thread.repository}#${thread.number}`;
