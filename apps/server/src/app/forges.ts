import type { Config } from "../config/config.ts";
import type { Forge } from "../domain/forge.ts";
import type { ForgeId } from "../domain/ids.ts";

/** Every user of ours on every forge, each with a client of its own. */
export interface ForgeUsers {
  service(forge: ForgeId): Forge;
  /** `author` is an agent type's name, or `service`. */
  as(forge: ForgeId, author: string): Forge;
  /** The agent type whose user this is on the forge, or null; logins are compared without case, as forges do. */
  agentOf(forge: ForgeId, login: string): string | null;
  /** One of our own users: the service's or an agent's. */
  isOurs(forge: ForgeId, login: string): boolean;
}

export const serviceAuthor = "service";

export function createForgeUsers(
  config: Pick<Config, "forges" | "agents">,
  connect: (forge: Config["forges"][string], user: { login: string; token: string }) => Forge,
): ForgeUsers {
  const clients = new Map<string, Forge>();
  const agents = new Map<string, string>();
  const ours = new Set<string>();
  const key = (forge: string, name: string) => `${forge}/${name.toLowerCase()}`;
  for (const forge of Object.values(config.forges)) {
    clients.set(key(forge.id, serviceAuthor), connect(forge, forge.serviceUser));
    ours.add(key(forge.id, forge.serviceUser.login));
    for (const agent of Object.values(config.agents)) {
      const user = agent.users[forge.id];
      if (user === undefined) continue;
      clients.set(key(forge.id, agent.type.name), connect(forge, user));
      agents.set(key(forge.id, user.login), agent.type.name);
      ours.add(key(forge.id, user.login));
    }
  }
  const as = (forge: ForgeId, author: string): Forge => {
    const client = clients.get(key(forge, author));
    if (client === undefined) throw new Error(`agents.${author}.users has no user on the forge "${forge}"`);
    return client;
  };
  return {
    as,
    service: (forge) => as(forge, serviceAuthor),
    agentOf: (forge, login) => agents.get(key(forge, login)) ?? null,
    isOurs: (forge, login) => ours.has(key(forge, login)),
  };
}
