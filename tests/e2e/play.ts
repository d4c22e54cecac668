import type { Forge } from "@claude-hooks/forge-sim";
import type { ModelRequest, Script, Step, ToolCall, Turn } from "@claude-hooks/model-sim";
import type { ServiceProcess } from "./service-process.ts";
import { repository, type World } from "./world.ts";

export const widgets = { owner: "acme", repo: "widgets" };

export const sh = (command: string): ToolCall => ({ name: "Bash", input: { command, description: "Work" } });

/** A step in which the "model" writes a file and commits it. */
export const commitOf = (file: string, message: string, rest: Partial<Step> = {}): Step => ({
  tools: [sh(`echo '${message}' >> ${file} && git add -A && git commit -q -m '${message}'`)],
  ...rest,
});

export const says = (text: string, rest: Partial<Step> = {}): Step => ({ text, ...rest });

/** What the "model" says to the agent of type dev, a turn for each prompt of a session. */
export const devScript = (...turns: Turn[]): Script => ({
  name: "e2e",
  agents: [{ name: "dev", match: { system: "agent type: dev" }, turns }],
});

/** One commit and a summary, for whatever is asked. */
export const onePiece = (name: string): Turn => ({
  steps: [commitOf(`${name}.txt`, `Add ${name}`), says(`${name} is there.`)],
});

/** alice assigns a new issue to the agent as a person would: it is written first, and assigned then. */
export async function assignIssue(forge: Forge, title = "Add a feature"): Promise<number> {
  const { number } = await forge.as("alice").createIssue({ ...widgets, title, body: `Please: ${title}` });
  await forge.as("alice").assign({ ...widgets, number, assignees: ["dev-bot"] });
  return number;
}

/** The comments of our service user on an issue. */
export const receipts = (forge: Forge, number: number): { id: number; body: string }[] =>
  forge
    .comments(repository, number)
    .filter(({ user }) => user.login === "claude-hooks")
    .map(({ id, body }) => ({ id, body }));

/** The text of everything that a request told the model. */
export const told = (request: ModelRequest): string => JSON.stringify(request.body);

/** The first run of an issue that asks to add a.txt. */
export const implement: Turn = {
  when: { prompt: "Implement issue #1" },
  steps: [commitOf("a.txt", "Add a"), says("Added a.")],
};
export const more = sh("echo more >> log.txt && git add -A && git commit -q -m 'Log more'");
/** Does a piece of work whatever it is asked. */
export const whenAsked: Turn = { repeat: true, steps: [{ tools: [more] }, says("Logged.")] };

export const timesIn = (text: string, part: string): number => text.split(part).length - 1;

/** The service after the first run has opened pull request #2 for issue #1. */
export async function implemented(world: World): Promise<ServiceProcess> {
  const service = await world.start();
  await assignIssue(world.forge, "Add a");
  await service.finished(1);
  return service;
}

/** What the prompt of a request says: its own words, without what the session remembers. */
export const promptOf = (request: ModelRequest | undefined): string => request?.prompt ?? "";
