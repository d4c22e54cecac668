import { failureText } from "../domain/failure-text.ts";
import type { PromptInputs, Prompts } from "../runs/ports.ts";
import { renderInbox } from "../sessions/inbox.ts";
import { renderPrompt, type Skill } from "../sessions/prompt.ts";
import { renderRemains } from "../sessions/rebuilt.ts";
import { systemPrompt } from "../sessions/system-prompt.ts";

/** The prompts of a run, for every way in which its session can begin: which of them it is shows only when the agent starts. */
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
      events: events.length === 0 ? nothingNew(inputs) : inbox.text,
      resumed,
    });
  return {
    system: systemPrompt({ agentType: agent.name, repository: thread.repository }),
    fresh: render(false),
    resumed: render(true),
    rebuilt: (remains) => `${render(false)}\n${renderRemains(remains)}`,
    told: inbox.shown,
  };
}

function nothingNew({ lastFailure }: PromptInputs): string {
  const ended = lastFailure === null ? "" : ` Your last run did not come to its end: ${failureText(lastFailure)}.`;
  return `[Nothing that you were not told.${ended} Look at what is there, and finish what is still missing.]`;
}
