import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Options,
  query,
  type SDKMessage,
  type SDKResultMessage,
  type SDKUserMessage,
} from "@anthropic-ai/claude-agent-sdk";
import { type Model, type ModelOptions, type Script, startModel } from "./index.ts";

// The real agent binary starts in half a second, on a busy machine in several.
setDefaultTimeout(60_000);

const shell = (command: string) => [{ name: "Bash", input: { command, description: "scripted" } }];
const script: Script = {
  name: "e2e",
  agents: [
    {
      name: "dev",
      match: { system: "AGENT-TYPE: dev" },
      turns: [
        {
          steps: [
            { text: "I write the file.", tools: shell("printf one > made.txt; cat made.txt") },
            { text: "The file says {{lastToolResult}}." },
          ],
        },
        { steps: [{ text: "More.", tools: shell("printf two >> made.txt") }, { text: "Second turn done." }] },
        {
          when: { prompt: "WITH A MESSAGE" },
          steps: [
            { tools: shell("until test -e go; do sleep 0.02; done") },
            { tools: shell("true") },
            { text: "Heard: {{folded}}" },
          ],
        },
        {
          when: { prompt: "WITH A HELPER" },
          steps: [
            {
              tools: [
                {
                  name: "Agent",
                  input: {
                    description: "look",
                    prompt: "LOOK IT UP",
                    subagent_type: "general-purpose",
                    run_in_background: false,
                  },
                },
              ],
            },
            { text: "It found: {{lastToolResult}}" },
          ],
        },
        {
          when: { prompt: "INTERRUPTED" },
          steps: [{ tools: shell("until test -e never; do sleep 0.02; done") }, { text: "never said" }],
        },
        { when: { prompt: "HELD" }, steps: [{ text: "held", gate: "held" }] },
        { when: { prompt: "CUT" }, steps: [{ text: "x".repeat(400), fault: { cut: true, times: 1 } }] },
      ],
    },
    { name: "helper", match: { prompt: "LOOK IT UP", subagent: true }, turns: [{ steps: [{ text: "forty-two" }] }] },
  ],
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "model-sim-e2e-"));
  await Promise.all([mkdir(join(folder, "config")), mkdir(join(folder, "work"))]);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const start = (options: Partial<ModelOptions> = {}) => startModel({ script, ...options });

function optionsFor(model: Model, more: Partial<Options> = {}): Options {
  return {
    cwd: join(folder, "work"),
    env: {
      PATH: "/usr/local/bin:/usr/bin:/bin",
      HOME: join(folder, "config"),
      CLAUDE_CONFIG_DIR: join(folder, "config"),
      ANTHROPIC_BASE_URL: model.url,
      ANTHROPIC_API_KEY: "placeholder",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      CLAUDE_CODE_MAX_RETRIES: "2",
      DISABLE_TELEMETRY: "1",
      ...(model.socket !== undefined && { ANTHROPIC_UNIX_SOCKET: model.socket }),
    },
    settingSources: [],
    strictMcpConfig: true,
    permissionMode: "dontAsk",
    allowedTools: ["Bash", "Agent"],
    systemPrompt: { type: "preset", preset: "claude_code", append: "AGENT-TYPE: dev" },
    ...more,
  };
}

const said = (text: string): SDKUserMessage => ({
  type: "user",
  message: { role: "user", content: text },
  parent_tool_use_id: null,
});

async function run(model: Model, prompt: string, more: Partial<Options> = {}): Promise<SDKResultMessage> {
  return resultOf(query({ prompt, options: optionsFor(model, more) }));
}

/** The last result; an error result is followed by a throw, which says nothing more. */
async function resultOf(messages: AsyncIterable<SDKMessage>): Promise<SDKResultMessage> {
  let result: SDKResultMessage | undefined;
  try {
    for await (const message of messages) if (message.type === "result") result = message;
  } catch (error) {
    if (!result?.is_error) throw error;
  }
  if (!result) throw new Error("the agent ended without a result");
  return result;
}

const places = (model: Model) => model.requests().map(({ agent, turn, step }) => `${agent} ${turn}/${step}`);

test("a shell tool runs, and a resumed session comes to the second turn, on another model process too", async () => {
  await using model = await start();
  const first = await run(model, "Please make the file.");
  expect(first).toMatchObject({ subtype: "success", is_error: false, result: "The file says one." });
  expect(places(model)).toEqual(["dev 1/1", "dev 1/2"]);
  const [one, two] = model.requests();
  expect(one).toMatchObject({
    prompt: "Please make the file.",
    credentials: { apiKey: "placeholder" },
    prefixShare: 0,
  });
  expect(two?.conversation).toBe(first.session_id);
  expect(two?.prefixShare).toBeGreaterThan(0.95);
  expect(two?.usage?.cache_read_input_tokens).toBeGreaterThan(1000);
  expect(first.usage.output_tokens).toBe((one?.usage?.output_tokens ?? 0) + (two?.usage?.output_tokens ?? 0));

  await using later = await start();
  const second = await run(later, "And now more.", { resume: first.session_id });
  expect(second).toMatchObject({ is_error: false, result: "Second turn done.", session_id: first.session_id });
  expect(places(later)).toEqual(["dev 2/1", "dev 2/2"]);
  expect(await readFile(join(folder, "work/made.txt"), "utf8")).toBe("onetwo");
  expect([...model.unexpected(), ...later.unexpected()]).toEqual([]);
});

test("a 401 ends the run as an API error", async () => {
  await using model = await start();
  model.faults.next({ status: 401, times: Number.POSITIVE_INFINITY });
  const result = await run(model, "Please make the file.");
  expect(result).toMatchObject({ is_error: true, api_error_status: 401, terminal_reason: "api_error" });
  model.faults.clear();
  const again = await run(model, "Please make the file.", { resume: result.session_id });
  expect(again).toMatchObject({ is_error: false, result: "The file says one." });
});

test("a busy and a broken answer are asked again by the agent", async () => {
  await using model = await start();
  model.faults.next({ status: 529 });
  expect(await run(model, "CUT")).toMatchObject({ is_error: false, result: "x".repeat(400) });
  expect(model.requests().map((request) => request.outcome)).toEqual(["error", "cut", "answered"]);
});

test("the agent reaches the model over a unix socket", async () => {
  await using model = await start({ socket: join(folder, "model.sock") });
  expect(model.port).toBeUndefined();
  expect(await run(model, "Please make the file.")).toMatchObject({ is_error: false, result: "The file says one." });
});

// Newer models get a message sent meanwhile as a system message, older ones inside the tool's result.
test.each(["claude-opus-5-5", "claude-haiku-4-5"])(
  "a message sent while a tool runs is folded in (%s)",
  async (name) => {
    await using model = await start();
    async function* input() {
      yield said("WITH A MESSAGE");
      await model.waitForRequest((request) => request.step === 1);
      yield said("by the way");
      await Bun.write(join(folder, "work/go"), "");
      await model.waitForRequest((request) => request.step === 3);
    }
    const result = await resultOf(query({ prompt: input(), options: optionsFor(model, { model: name }) }));
    expect(result).toMatchObject({ is_error: false, result: "Heard: by the way" });
    expect(places(model)).toEqual(["dev 3/1", "dev 3/2", "dev 3/3"]);
  },
);

test("a sub-agent is an agent of its own", async () => {
  await using model = await start();
  const result = await run(model, "WITH A HELPER");
  expect(result.subtype === "success" && result.result).toMatch(/^It found: .*Subagent[^]*forty-two/);
  expect(places(model)).toEqual(["dev 4/1", "helper 1/1", "dev 4/2"]);
});

test("a prompt behind an interrupted tool is the next turn", async () => {
  await using model = await start();
  const toolRuns = Promise.withResolvers<void>();
  async function* input() {
    yield said("INTERRUPTED");
    await toolRuns.promise;
    await session.interrupt();
    yield said("Please make the file.");
  }
  const session = query({ prompt: input(), options: optionsFor(model) });
  const results: SDKResultMessage[] = [];
  for await (const message of session) {
    if (message.type === "assistant" && message.message.content.some((block) => block.type === "tool_use"))
      toolRuns.resolve();
    if (message.type === "result") results.push(message);
  }
  expect(results.at(-1)).toMatchObject({ is_error: false, result: "The file says one." });
  expect(places(model)).toEqual(["dev 5/1", "dev 1/1", "dev 1/2"]);
});

test("a run that is stopped while the model is held resumes with the turn that got no answer", async () => {
  await using model = await start();
  const stopping = new AbortController();
  const session = query({ prompt: "HELD", options: optionsFor(model, { abortController: stopping }) });
  const ended = resultOf(session).catch((error: unknown) => String(error));
  const held = await model.waitAtGate("held");
  stopping.abort();
  expect(await ended).toContain("abort");
  // The agent's process outlives the abort by about two seconds.
  await model.waitForRequest(({ outcome }) => outcome === "gone");
  model.open("held");
  expect(await run(model, "Go on.", { resume: held.conversation })).toMatchObject({ is_error: false, result: "held" });
});

test("a request that no script expects fails the run with what was looked for", async () => {
  await using model = await start();
  const result = await run(model, "Please make the file.", { systemPrompt: "Somebody else" });
  expect(result).toMatchObject({ is_error: true, api_error_status: 400 });
  expect(result).toMatchObject({ result: expect.stringContaining("no agent of the script matches") });
  // The binary asks again with fewer beta features before it believes a 400.
  expect(model.unexpected()).toEqual(model.requests());
});
