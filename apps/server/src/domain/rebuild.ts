import type { Tier } from "./tier.ts";

/** What is left of a lane's earlier work when its session is lost; all of it in others' or the agent's own words. */
export interface Remains {
  /** The agent's last words in its last run. */
  summary: string | null;
  /** Of the thread, oldest first, without those that are yet to be told. */
  comments: readonly { author: string; tier: Tier | "agent"; at: number; body: string }[];
  /** Of the branch against its base; empty where there is none. */
  log: string;
  diff: string;
}

/** Of which remains a prompt was rebuilt. */
export interface RebuiltFrom {
  comments: number;
  diff: boolean;
  summary: boolean;
}
