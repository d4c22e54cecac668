import type { ConfigFile } from "./schema.ts";

/** Faults that no single key shows: names that point nowhere, two things of one name, two users in one. */
export function crossFaults(file: ConfigFile): string[] {
  return [...repositoryFaults(file), ...agentFaults(file), ...modelFaults(file), ...limitFaults(file)];
}

function limitFaults({ limits }: ConfigFile): string[] {
  const { gather_ms: gather, gather_max_ms: most } = limits;
  return gather <= most ? [] : [`limits.gather_max_ms: expected at least limits.gather_ms (${gather}), not ${most}`];
}

function repositoryFaults(file: ConfigFile): string[] {
  const faults: string[] = [];
  const hooks = new Map<string, number>();
  const ids = new Map<string, number>();
  for (const [index, repository] of file.repositories.entries()) {
    const path = `repositories.${index}`;
    if (!(repository.forge in file.forges))
      faults.push(`${path}.forge: there is no forge "${repository.forge}" in forges`);
    faults.push(...clash(hooks, `${repository.forge}/${repository.hook_id}`, index, `${path}.hook_id`));
    faults.push(...clash(ids, `${repository.forge}/${repository.id}`, index, `${path}.id`));
  }
  return faults;
}

function clash(seen: Map<string, number>, key: string, index: number, path: string): string[] {
  const first = seen.get(key);
  if (first !== undefined) return [`${path}: repositories.${first} has the same`];
  seen.set(key, index);
  return [];
}

function agentFaults(file: ConfigFile): string[] {
  const faults: string[] = [];
  const prefixes = new Map<string, string>();
  const logins = new Map<string, string>();
  for (const [id, forge] of Object.entries(file.forges)) {
    logins.set(`${id}/${forge.service_user.login.toLowerCase()}`, `forges.${id}.service_user`);
  }
  for (const [name, agent] of Object.entries(file.agents)) {
    faults.push(...taken(prefixes, agent.branch_prefix ?? name, `agents.${name}`, `agents.${name}.branch_prefix`));
    for (const [forge, user] of Object.entries(agent.users)) {
      const path = `agents.${name}.users.${forge}`;
      if (!(forge in file.forges)) faults.push(`${path}: there is no forge "${forge}" in forges`);
      faults.push(...taken(logins, `${forge}/${user.login.toLowerCase()}`, path, `${path}.login`));
    }
    if (Object.keys(agent.users).length === 0)
      faults.push(`agents.${name}.users: an agent needs a user on at least one forge`);
  }
  return faults;
}

function taken(seen: Map<string, string>, key: string, owner: string, path: string): string[] {
  const first = seen.get(key);
  if (first !== undefined) return [`${path}: ${first} has the same; every agent type needs its own`];
  seen.set(key, owner);
  return [];
}

function modelFaults(file: ConfigFile): string[] {
  const { api_key: key, oauth_token: token } = file.model;
  if (key === undefined && token === undefined) return ["model: expected api_key or oauth_token"];
  if (key !== undefined && token !== undefined) return ["model: expected either api_key or oauth_token, not both"];
  return [];
}
