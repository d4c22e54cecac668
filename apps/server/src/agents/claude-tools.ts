/**
 * The built-in tools that an agent type may be given, by the names that claude 2.1.330 takes (a test asks the binary, which
 * drops unknown names in silence). `Agent` shows itself as `Task`.
 */
export const agentTools = [
  "Agent",
  "Bash",
  "Edit",
  "Glob",
  "Grep",
  "NotebookEdit",
  "Read",
  "TaskCreate",
  "TaskGet",
  "TaskList",
  "TaskStop",
  "TaskUpdate",
  "Write",
] as const;

/**
 * The binary's other tools, refused by name as well: network, other agents on the host, timers that outlive a run,
 * work outside the checkout, and what needs a person or a program at its side.
 */
export const refusedTools = [
  "AskUserQuestion",
  "CronCreate",
  "CronDelete",
  "CronList",
  "EnterWorktree",
  "ExitWorktree",
  "ListAgents",
  "Monitor",
  "ReportFindings",
  "ScheduleWakeup",
  "SendMessage",
  "Skill",
  "ToolSearch",
  "WebFetch",
  "WebSearch",
  "Workflow",
] as const;

/** The names that no agent type may list: misspelt, or refused. For the configuration, which should also show {@link agentTools}. */
export function unknownTools(names: readonly string[]): string[] {
  const known = new Set<string>(agentTools);
  return names.filter((name) => !known.has(name));
}
