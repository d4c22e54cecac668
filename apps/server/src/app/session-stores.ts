import type { Config } from "../config/config.ts";
import type { Handle } from "../infrastructure/database/handle.ts";
import { createSessionStore, type SessionStore } from "../infrastructure/database/sessions.ts";

type Ages = Pick<Config, "sessionMaxAgeMs"> & { agents: Readonly<Record<string, { sessionMaxAgeMs: number }>> };

/** One session store for each agent type, with the maximum age that the configuration gives it. */
export interface SessionStores {
  of(agent: string): SessionStore;
  /** With the largest of all maximum ages: what this one calls expired is expired for every agent type. */
  largest(): SessionStore;
  maxAgeMs(agent: string): number;
  /** From now on these ages count, in the stores that were given out too. */
  apply(config: Ages): void;
}

export function createSessionStores(config: Ages, db: Handle): SessionStores {
  let ages = config;
  const stores = new Map<string, SessionStore>();
  const maxAgeMs = (agent: string): number => ages.agents[agent]?.sessionMaxAgeMs ?? ages.sessionMaxAgeMs;
  const largestMs = (): number =>
    Math.max(ages.sessionMaxAgeMs, ...Object.values(ages.agents).map((agent) => agent.sessionMaxAgeMs));
  const largest = createSessionStore(db, { maxAgeMs: largestMs() });
  return {
    maxAgeMs,
    of(agent) {
      const store = stores.get(agent) ?? createSessionStore(db, { maxAgeMs: maxAgeMs(agent) });
      stores.set(agent, store);
      return store;
    },
    largest: () => largest,
    apply(next) {
      ages = next;
      largest.setMaxSessionAgeMs(largestMs());
      for (const [agent, store] of stores) store.setMaxSessionAgeMs(maxAgeMs(agent));
    },
  };
}
