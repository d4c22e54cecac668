import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { query } from "@anthropic-ai/claude-agent-sdk";
import { agentTools, refusedTools, unknownTools } from "./claude-tools.ts";
import { type Laid, layOut, runReal } from "./testing/places.ts";

// The real binary starts in half a second, on a busy machine in several.
setDefaultTimeout(60_000);

const open: Laid[] = [];
afterEach(async () => {
  for (const laid of open.splice(0)) await laid[Symbol.asyncDispose]();
});
async function lay(...parameters: Parameters<typeof layOut>): Promise<Laid> {
  const laid = await layOut(...parameters);
  open.push(laid);
  return laid;
}

describe("tools", () => {
  test("the names that may be configured are the binary's own, and it offers these and no other", async () => {
    const { place, model } = await lay([{ steps: [{ text: "Hi." }] }]);
    const { raw } = await runReal(place, { tools: agentTools });
    const start = raw
      .map((json) => JSON.parse(json) as { subtype?: string; tools: string[] })
      .find(({ subtype }) => subtype === "init");
    const shown = agentTools.map((name) => (name === "Agent" ? "Task" : name));
    expect(start?.tools.toSorted()).toEqual(shown.toSorted());
    const offered = (model.requests()[0]!.body as { tools: { name: string }[] }).tools.map(({ name }) => name);
    expect(offered.filter((name) => !(agentTools as readonly string[]).includes(name))).toEqual([]);
  });

  test("every other tool of the binary is refused by name, so that a new one shows here first", async () => {
    const { place } = await lay([{ steps: [{ text: "Hi." }] }]);
    const { cwd, env, executable } = place;
    const live = query({
      prompt: "Hi",
      options: {
        cwd,
        env: { ...env },
        pathToClaudeCodeExecutable: executable,
        settingSources: [],
        systemPrompt: "AGENT-TYPE: dev",
        tools: { type: "preset", preset: "claude_code" },
      },
    });
    let tools: string[] = [];
    for await (const message of live)
      if (message.type === "system" && message.subtype === "init") tools = message.tools;
    const known = new Set<string>([...agentTools, ...refusedTools, "Task"]);
    expect(tools.length).toBeGreaterThan(10);
    expect(tools.filter((name) => !known.has(name))).toEqual([]);
  });

  test("misspelt and refused names are unknown", () => {
    expect(unknownTools(["Bash", "bash", "WebFetch", "Read", "MultiEdit"])).toEqual(["bash", "WebFetch", "MultiEdit"]);
  });
});
