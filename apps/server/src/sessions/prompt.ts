import { Liquid, type Template } from "liquidjs";
import { fence, oneLine } from "./fence.ts";

/** Everything that a skill can declare, by the name that its template uses. Optional ones are only there under `{% if %}`. */
export const promptInputs = {
  repository: { optional: false },
  number: { optional: false },
  title: { optional: false },
  body: { optional: false },
  branch: { optional: false },
  base_branch: { optional: false },
  test_command: { optional: true },
  events: { optional: true },
  resumed: { optional: true },
} as const satisfies Record<string, { optional: boolean }>;

export type PromptInputName = keyof typeof promptInputs;

export interface PromptInputs {
  /** `owner/repo` */
  repository: string;
  number: number;
  /** As stored for the event that caused the run: untrusted, fenced here. */
  title: string;
  body: string;
  branch: string;
  baseBranch: string;
  testCommand: string | null;
  /** From `renderInbox`, fenced already; empty where nothing is to be told. */
  events: string;
  /** The agent remembers earlier runs of this lane. */
  resumed: boolean;
}

/** A prompt template that was checked when it was loaded. */
export interface Skill {
  name: string;
  inputs: readonly PromptInputName[];
  template: Template[];
}

/** No files, no own filters; a variable without a value is an error, except as the condition of an `if`. */
export const promptEngine = new Liquid({
  strictVariables: true,
  strictFilters: true,
  ownPropertyOnly: true,
  lenientIf: true,
  templates: {},
});

const longestTitle = 1_000;
const longestBody = 60_000;

/** The same inputs give the same bytes. Throws where a declared input has no value; what is in a value is never a template. */
export function renderPrompt(skill: Skill, inputs: PromptInputs): string {
  const values = templateValues(inputs);
  const given = Object.fromEntries(skill.inputs.map((name) => [name, values[name]]));
  const unfilled = skill.inputs.filter((name) => !promptInputs[name].optional && isUnfilled(given[name]));
  if (unfilled.length > 0)
    throw new Error(
      `The prompt of the skill ${skill.name} cannot be written: it has no value for ${unfilled.join(", ")}`,
    );
  return renderTemplate(skill.template, given);
}

/** Ends in one line break, and does not begin with one. */
export function renderTemplate(template: Template[], values: Record<string, unknown>): string {
  const rendered: unknown = promptEngine.renderSync(template, values);
  return `${String(rendered).trim()}\n`;
}

const isUnfilled = (value: unknown): boolean => value === undefined || value === null || Number.isNaN(value);

function templateValues(inputs: PromptInputs): Record<PromptInputName, unknown> {
  const { repository, number, title, body, branch, baseBranch, testCommand, events, resumed } = inputs;
  return {
    repository: filled(repository),
    number,
    title: fence("title", title, longestTitle).text,
    body: fence("description", body, longestBody).text,
    branch: filled(branch),
    base_branch: filled(baseBranch),
    test_command: testCommand === null || testCommand === "" ? undefined : testCommand,
    events: events === "" ? undefined : events,
    resumed: resumed ? true : undefined,
  };
}

const filled = (text: string): string | undefined => (text === "" ? undefined : oneLine(text));
