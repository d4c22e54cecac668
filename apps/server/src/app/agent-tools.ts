import { agentTools, unknownTools } from "../agents/claude-tools.ts";
import { type Config, ConfigError } from "../config/config.ts";

/** A tool that does not exist would be dropped by the agent in silence. @throws ConfigError with every such name. */
export function checkAgentTools(config: Pick<Config, "agents">): void {
  const faults = Object.entries(config.agents).flatMap(([name, { type }]) =>
    unknownTools(type.tools).map(
      (tool) =>
        `agents.${name}.tools: "${tool}" is no tool that an agent may have; these are: ${agentTools.join(", ")}`,
    ),
  );
  if (faults.length > 0) throw new ConfigError("agents.json", faults);
}
