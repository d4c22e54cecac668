import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import { type Model, startModel } from "./index.ts";

const script = {
  name: "wire",
  agents: [
    {
      name: "dev",
      match: { system: "AGENT: dev" },
      turns: [
        {
          steps: [
            {
              thinking: "What is in it?",
              text: "I look. ".repeat(30),
              tools: [
                { name: "Bash", input: { command: "cat a", lines: [1, { deep: "said: {{prompt}} {{other}}" }] } },
                { name: "Read", input: {} },
              ],
              usage: { output_tokens: 77, cache_read_input_tokens: 5 },
            },
            { text: "It said {{lastToolResult}}." },
          ],
        },
      ],
    },
  ],
};
const tools: Anthropic.Tool[] = ["Bash", "Read"].map((name) => ({ name, input_schema: { type: "object" } }));
const ask = {
  model: "claude-x",
  max_tokens: 100,
  system: "AGENT: dev",
  tools,
  messages: [{ role: "user" as const, content: "héllo" }],
};

let model: Model;
let client: Anthropic;

beforeEach(async () => {
  model = await startModel({ script });
  client = new Anthropic({ baseURL: model.url, apiKey: "sk-test", maxRetries: 0 });
});
afterEach(() => model.close());

describe("an answer read by the API's own client", () => {
  test("is the same streamed and whole, with thinking, text and tool calls in order", async () => {
    const whole = await client.messages.create(ask);
    const streamed = await client.messages.stream(ask).finalMessage();
    for (const answer of [whole, streamed]) {
      expect(answer).toMatchObject({ model: "claude-x", role: "assistant", stop_reason: "tool_use" });
      expect(answer.usage).toMatchObject({ output_tokens: 77, cache_read_input_tokens: 5 });
      expect(answer.content).toMatchObject([
        { type: "thinking", thinking: "What is in it?" },
        { type: "text", text: "I look. ".repeat(30) },
        { type: "tool_use", name: "Bash", input: { command: "cat a", lines: [1, { deep: "said: héllo {{other}}" }] } },
        { type: "tool_use", name: "Read", input: {} },
      ]);
    }
    const ids = [...whole.content, ...streamed.content].flatMap((block) => (block.type === "tool_use" ? block.id : []));
    expect(new Set(ids).size).toBe(4);
  });

  test("sends the API's events in the API's order", async () => {
    const types: string[] = [];
    for await (const event of await client.messages.create({ ...ask, stream: true })) {
      if (types.at(-1) !== event.type) types.push(event.type);
    }
    const block = ["content_block_start", "content_block_delta", "content_block_stop"];
    expect(types).toEqual(["message_start", ...block, ...block, ...block, ...block, "message_delta", "message_stop"]);
  });

  test("goes on from the tool's result, ends the turn and counts the prefix", async () => {
    const begun = await client.messages.create({ ...ask, cache_control: { type: "ephemeral" } });
    const id = begun.content.find((block) => block.type === "tool_use")?.id ?? "";
    const ended = await client.messages.create({
      ...ask,
      messages: [
        ...ask.messages,
        { role: "assistant", content: begun.content },
        { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: "world" }] },
      ],
    });
    expect(ended).toMatchObject({ stop_reason: "end_turn", content: [{ type: "text", text: "It said world." }] });
    const [, second] = model.requests();
    expect(second).toMatchObject({ agent: "dev", turn: 1, step: 2, outcome: "answered", usage: ended.usage });
    expect(second?.prefixShare).toBeGreaterThan(0.05);
    expect(second?.prefixShare).toBeLessThan(1);
  });
});

test("count_tokens counts tools, system and messages at four bytes a token", async () => {
  const { max_tokens: _, ...prompt } = ask;
  const short = await client.messages.countTokens(prompt);
  const long = await client.messages.countTokens({
    ...prompt,
    messages: [{ role: "user", content: "x".repeat(4000) }],
  });
  expect(long.input_tokens - short.input_tokens).toBeWithin(990, 1001);
  expect(model.requests().map((request) => request.kind)).toEqual(["count_tokens", "count_tokens"]);
});

const errors = [
  [401, Anthropic.AuthenticationError, "authentication_error"],
  [403, Anthropic.PermissionDeniedError, "permission_error"],
  [404, Anthropic.NotFoundError, "not_found_error"],
  [429, Anthropic.RateLimitError, "rate_limit_error"],
  [500, Anthropic.InternalServerError, "api_error"],
  [529, Anthropic.InternalServerError, "overloaded_error"],
] as const;

test.each(errors)("status %p becomes the client's own error", async (status, type, name) => {
  model.faults.next({ status, headers: { "retry-after": "7" } });
  const error = await client.messages.create(ask).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(type);
  expect(error).toMatchObject({ status, error: { type: "error", error: { type: name } } });
  expect(error instanceof Anthropic.APIError && error.headers?.get("retry-after")).toBe("7");
});

test("a request that no script expects is a 400 that says what was looked for and what came", async () => {
  const strange = { ...ask, messages: [...ask.messages, { role: "assistant" as const, content: "hm" }] };
  const third = { ...strange, messages: [...strange.messages, { role: "user" as const, content: "and now?" }] };
  const error = await client.messages.create(third).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(Anthropic.BadRequestError);
  const message = String(error);
  expect(message).toContain("invalid_request_error");
  expect(message).toContain('script \\"wire\\": no script expects this request: agent \\"dev\\": none of its 1 turns');
  expect(message).toContain("user: and now?");
  expect(model.unexpected()).toMatchObject([{ agent: "dev", status: 400, prompt: "and now?", kind: "unexpected" }]);
});

test.each(["{", "[]", '{"model":"m","max_tokens":1}'])("a malformed body %p is a recorded 400", async (body) => {
  const response = await fetch(`${model.url}/v1/messages`, { method: "POST", body });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ type: "error", error: { type: "invalid_request_error" } });
  expect(model.unexpected()).toHaveLength(1);
});

test("it says of itself that it is a script", async () => {
  for (const method of ["GET", "HEAD"]) {
    const response = await fetch(model.url, { method });
    expect(response.headers.get("x-model-sim")).toBe("a script, no model");
  }
  expect(await (await fetch(model.url)).text()).toContain("no model");
  expect((await fetch(`${model.url}/v1/models`)).status).toBe(404);
});
