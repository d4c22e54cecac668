import { describe, expect, test } from "bun:test";
import { match } from "./match.ts";
import { parseScript } from "./script.ts";
import { type Message, MessagesRequest } from "./wire.ts";

const bash = { name: "Bash", input: { command: "true" } };
const script = parseScript({
  name: "matching",
  agents: [
    {
      name: "dev",
      match: { system: "AGENT: dev" },
      turns: [
        { steps: [{ text: "a", tools: [bash] }, { text: "b", tools: [bash] }, { text: "c" }] },
        { steps: [{ text: "second", tools: [bash] }, { text: "second, done" }] },
        { when: { prompt: { regex: "ci failed", flags: "i" } }, steps: [{ text: "fixing" }] },
        { when: { prompt: "a comment" }, repeat: true, steps: [{ text: "noted" }] },
      ],
    },
    { name: "by-prompt", match: { prompt: "you review" }, turns: [{ steps: [{ text: "fine" }] }] },
    { name: "helper", match: { prompt: "look it up", subagent: true }, turns: [{ steps: [{ text: "found" }] }] },
  ],
});

const reminder = "<system-reminder>\nToday's date is 2026-11-22.\n</system-reminder>\n";
const said = (...texts: string[]): Message => ({
  role: "user",
  content: texts.map((text) => ({ type: "text", text })),
});
const first = said(reminder, "Please do it");
const calls: Message = {
  role: "assistant",
  content: [
    { type: "text", text: "a" },
    { type: "tool_use", id: "t", name: "Bash", input: {} },
  ],
};
const result = (content: unknown = "ok", ...texts: string[]): Message => ({
  role: "user",
  content: [{ type: "tool_result", tool_use_id: "t", content }, ...texts.map((text) => ({ type: "text", text }))],
});
const replied: Message = { role: "assistant", content: [{ type: "text", text: "done" }] };
const placeholder: Message = { role: "assistant", content: [{ type: "text", text: "No response requested." }] };
const environment: Message = { role: "system", content: "# Environment\nYou have been invoked" };
const surfaced = (text: string) =>
  `The user sent a new message while you were working:\n${text}\n\nThis is how Claude Code surfaces messages the user sends mid-turn.`;
const steered: Message = { role: "system", content: surfaced("hurry up") };
const inReminder = `ok\n\n<system-reminder>\n${surfaced("hurry up")}\n</system-reminder>`;
const notification = said("<system-reminder>\n<task-notification>\ndone\n</task-notification>\n</system-reminder>");
const interrupted = "[Request interrupted by user for tool use]";

function ask(messages: Message[], { system = "AGENT: dev", tools = ["Bash"], agentId = "" } = {}) {
  const request = MessagesRequest.parse({
    model: "m",
    max_tokens: 10,
    system: [{ type: "text", text: system }],
    messages,
    tools: tools.map((name) => ({ name })),
  });
  return match(script, request, agentId || undefined);
}

const places: [string, Message[], string][] = [
  ["the first prompt", [first], "dev 1 1"],
  ["a system message behind the prompt", [first, environment], "dev 1 1"],
  ["a tool result", [first, environment, calls, result()], "dev 1 2"],
  ["two tool results", [first, calls, result(), calls, result()], "dev 1 3"],
  ["the second prompt of a resumed session", [first, calls, result(), replied, said("More")], "dev 2 1"],
  ["a tool result in the second turn", [first, replied, said("More"), calls, result()], "dev 2 2"],
  ["a message folded in as a system message", [first, calls, result(), steered], "dev 1 2"],
  ["a message folded in earlier", [first, calls, result(), steered, calls, result()], "dev 1 3"],
  ["a message folded into the tool's result", [first, calls, result(inReminder)], "dev 1 2"],
  ["a message folded in beside the tool's result", [first, calls, result("ok", "hurry up")], "dev 1 2"],
  ["a new prompt behind an interrupted tool", [first, calls, result("no", interrupted, "Instead")], "dev 2 1"],
  ["a new prompt behind an interrupted reply", [said(reminder, "It", interrupted, "Instead")], "dev 1 1"],
  ["a process killed before the reply", [first, placeholder, said("Go on")], "dev 1 1"],
  ["a process killed while a tool ran", [first, calls, result("killed"), placeholder, said("Go on")], "dev 2 1"],
  ["a failed request that is asked again", [said(reminder, "Please do it", "Again")], "dev 1 1"],
  ["a sub-agent's notice", [first, calls, result(), calls, notification], "dev 1 3"],
  ["a local command between two prompts", [first, replied, said("<command-name>/x</command-name>", "More")], "dev 2 1"],
  ["a prompt that a turn asks for by name", [said("CI failed on main")], "dev 3 1"],
  ["the next free turn behind a named one", [said("CI failed"), replied, said("More")], "dev 1 1"],
  ["a turn that repeats", [said("a comment"), replied, said("a comment")], "dev 4 1"],
];

describe("the place in the script follows from the request alone", () => {
  test.each(places)("%s", (_, messages, place) => {
    const decision = ask(messages);
    if (decision.kind !== "scripted") throw new Error(JSON.stringify(decision));
    expect(`${decision.place.agent} ${decision.place.turn} ${decision.place.step}`).toBe(place);
  });
});

test("an agent is found by its first prompt, and keeps its conversation later", () => {
  const later = [said(reminder, "As dev-2 you review this"), environment];
  expect(ask(later, { system: "other" })).toMatchObject({ kind: "scripted", place: { agent: "by-prompt", turn: 1 } });
});

test("a sub-agent is matched to sub-agents only, by header or by the system prompt", () => {
  const messages = [said(reminder, "look it up")];
  expect(ask(messages, { agentId: "a1" })).toMatchObject({ place: { agent: "helper" } });
  const system = "x-anthropic-billing-header: cc_is_subagent=true; AGENT: dev";
  expect(ask(messages, { system })).toMatchObject({ place: { agent: "helper" } });
  expect(ask(messages, { system: "" })).toMatchObject({ kind: "unexpected" });
});

const unexpected: [string, Message[], Parameters<typeof ask>[1], string][] = [
  ["no agent", [first], { system: "AGENT: other" }, "no agent of the script matches; it has dev"],
  ["no step", [first, calls, result(), calls, result(), calls, result()], {}, "turn 1, step 4: the turn has 3 steps"],
  ["no turn", [first, replied, said("2"), replied, said("3")], {}, 'turns is left for prompt 3: "3"'],
  ["a tool that is not offered", [first], { tools: ["Read"] }, "calls Bash, which the request does not offer"],
  ["no prompt", [said("This session is being continued from a previous conversation. x")], {}, "holds no prompt"],
];

test.each(unexpected)("a request is unexpected when there is %s", (_, messages, how, why) => {
  const decision = ask(messages, how);
  expect(decision.kind).toBe("unexpected");
  expect(decision.kind === "unexpected" && decision.why).toContain(why);
});

test("the title and compaction requests of the binary are answered by their own rules", () => {
  const system = "You are naming a coding session so the user can pick it out";
  expect(ask([first], { system, tools: [] })).toMatchObject({ kind: "side", rule: "title" });
  const compaction = said("CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.\n\n- Do NOT use Read");
  expect(ask([first, replied, compaction])).toMatchObject({ kind: "side", rule: "compaction" });
});

test("what people said is known, folded messages and the last tool result too", () => {
  const decision = ask([first, calls, result("one"), calls, result(inReminder), steered]);
  expect(decision).toMatchObject({
    spoken: { prompts: ["Please do it"], folded: ["hurry up", "hurry up"], lastToolResult: "ok" },
  });
});
