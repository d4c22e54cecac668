import { expect, test } from "bun:test";
import { parseScript } from "./script.ts";

const agent = { name: "dev", match: { system: "AGENT: dev" }, turns: [{ steps: [{ text: "Done." }] }] };
const withTurn = (turn: object) => ({ name: "s", agents: [{ ...agent, turns: [turn] }] });

const refused: [string, unknown, string][] = [
  ["an unknown key", { name: "s", agents: [{ ...agent, model: "x" }] }, "agents[0]"],
  ["no way to match", { name: "s", agents: [{ ...agent, match: {} }] }, "agents[0].match: needs system"],
  ["two agents of one name", { name: "s", agents: [agent, agent] }, "agents: agents must have different names"],
  ["a turn without steps", withTurn({ steps: [] }), "agents[0].turns[0].steps"],
  ["a step without a reply", withTurn({ steps: [{ gate: "x" }] }), "agents[0].turns[0].steps[0]: needs text or tools"],
  ["a bad regular expression", withTurn({ when: { prompt: { regex: "(" } }, steps: [{ text: "x" }] }), "agents[0]"],
  ["a status that the API does not use", withTurn({ steps: [{ text: "x", fault: { status: 418 } }] }), "agents[0]"],
  [
    "a fault that ends, with nothing behind it",
    withTurn({ steps: [{ fault: { status: 529, times: 2 } }] }),
    "needs text or tools, or a fault without times",
  ],
  [
    "a last step that calls a tool",
    withTurn({ steps: [{ tools: [{ name: "Bash", input: {} }] }] }),
    "agents[0].turns[0].steps: the last step calls a tool",
  ],
];

test.each(refused)("a script with %s is refused with the path", (_, script, message) => {
  expect(() => parseScript(script, "demo.json")).toThrow(message);
});

test("every fault of a script is named in one error", () => {
  const script = { name: "", agents: [{ ...agent, turns: [] }] };
  expect(() => parseScript(script, "demo.json")).toThrow(/demo\.json: name: .*\ndemo\.json: agents\[0\]\.turns: /);
});

test("the last step may hand over structured output, since the agent ends there", () => {
  const script = withTurn({ steps: [{ tools: [{ name: "StructuredOutput", input: { ok: true } }] }] });
  expect(parseScript(script).agents[0]?.turns).toHaveLength(1);
});
