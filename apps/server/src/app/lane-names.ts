import type { Config } from "../config/config.ts";
import { type ForgeId, type LaneKey, laneKey, laneLabel, laneParts } from "../domain/ids.ts";
import type { Thread } from "../domain/thread.ts";
import { DeskError } from "../http/sessions.ts";
import type { ThreadStore } from "../infrastructure/database/threads.ts";

export interface FoundLane {
  key: LaneKey;
  agentType: string;
  thread: Thread;
  label: string;
}

export interface LaneNames {
  /** Of a name such as `dev:owner/repo#12`, with the forge before the owner where several have it. */
  lane(name: string): Promise<FoundLane>;
  /** The thread of `owner/repo#12`, and the agent type where the name or `agent` says one. */
  thread(name: string, agent: string | null): Promise<{ thread: Thread; agentType: string | null }>;
  /** Null where its thread is not on record. */
  ofKey(key: LaneKey): Promise<FoundLane | null>;
}

const pattern = /^(?:([a-z][a-z0-9-]*):)?(?:([a-z][a-z0-9-]*)\/)?([^\s/:#]+\/[^\s/:#]+)#(\d{1,15})$/;

/** Lanes by the names that people type. */
export function createLaneNames(config: Pick<Config, "agents">, threads: Pick<ThreadStore, "find" | "get">): LaneNames {
  const found = (agentType: string, thread: Thread): FoundLane => ({
    key: laneKey(agentType, thread.id),
    agentType,
    thread,
    label: laneLabel(agentType, thread),
  });
  const thread: LaneNames["thread"] = async (name, agent) => {
    const [, typed, forge, repository = "", number] = pattern.exec(name) ?? [];
    if (number === undefined)
      throw new DeskError(400, `"${name}": expected a thread such as owner/repo#12, or dev:owner/repo#12`);
    const agentType = agent ?? typed ?? null;
    if (agentType !== null && config.agents[agentType] === undefined)
      throw new DeskError(
        404,
        `there is no agent type "${agentType}"; there are ${Object.keys(config.agents).join(", ")}`,
      );
    const [only, ...more] = await threads.find((forge ?? null) as ForgeId | null, repository, Number(number));
    if (only === undefined) throw new DeskError(404, `nothing is on record about ${repository}#${number}`);
    if (more.length === 0) return { thread: only, agentType };
    const names = [only, ...more].map((each) => `${each.forge}/${repository}#${number}`).join(", ");
    throw new DeskError(409, `several forges have a ${repository}#${number}: say which: ${names}`);
  };
  return {
    thread,
    async lane(name) {
      const { thread: of, agentType } = await thread(name, null);
      if (agentType === null) throw new DeskError(400, `"${name}": say whose session, as in dev:${name}`);
      return found(agentType, of);
    },
    async ofKey(key) {
      const { agentType, thread: id } = laneParts(key);
      const of = await threads.get(id);
      return of === null ? null : found(agentType, of);
    },
  };
}
