/** A role with its settings, as configured. Secrets are not in it. */
export interface AgentType {
  name: string;
  /** Logins of its user, by forge id. */
  logins: Readonly<Record<string, string>>;
  gitName: string;
  gitEmail: string;
  /** Its branches are `<branchPrefix>/<number>`. */
  branchPrefix: string;
  model: string;
  /** Names of the agent's built-in tools that it may use. */
  tools: readonly string[];
  deadlineMs: number;
  /** Longest silence of the agent before its run is ended. */
  stallMs: number;
}

export const branchFor = (agent: Pick<AgentType, "branchPrefix">, number: number): string =>
  `${agent.branchPrefix}/${number}`;
