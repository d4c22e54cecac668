import type { PromptInputs, Prompts } from "../runs/ports.ts";
import { renderInbox } from "../sessions/inbox.ts";
import { renderPrompt, type Skill } from "../sessions/prompt.ts";
import { systemPrompt } from "../sessions/system-prompt.ts";

/** The prompts of a run, for a fresh session and for one that goes on: which of the two it is shows only when the agent starts. */
export function promptsFor(skills: ReadonlyMap<string, Skill>, inputs: PromptInputs): Prompts {
  const { agent, thread, subject, events } = inputs;
  const skill = skills.get(inputs.skill);
  if (skill === undefined) throw new Error(`there is no skill "${inputs.skill}" in skills/`);
  const inbox = renderInbox(events);
  const render = (resumed: boolean): string =>
    renderPrompt(skill, {
      repository: thread.repository,
      number: thread.number,
      title: subject.title,
      body: subject.body,
      branch: inputs.branch,
      baseBranch: inputs.base,
      testCommand: inputs.testCommand,
      events: inbox.text,
      resumed,
    });
  return {
    system: systemPrompt({ agentType: agent.name, repository: thread.repository }),
    fresh: render(false),
    resumed: render(true),
    told: inbox.shown,
  };
}
