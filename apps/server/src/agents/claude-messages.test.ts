import { describe, expect, test } from "bun:test";
import { translate } from "./claude-messages.ts";
import { boundedJson } from "./raw.ts";
import { spentSince } from "./totals.ts";

const id = "0c0b3aad-b36d-47b3-8f23-362d03b37c23";
const assistant = (content: unknown, more: object = {}) => ({
  type: "assistant",
  message: { content },
  parent_tool_use_id: null,
  ...more,
});

describe("a message of the SDK in our words", () => {
  const table: [string, unknown, unknown[]][] = [
    [
      "the start",
      { type: "system", subtype: "init", session_id: id, model: "m", tools: ["Bash"], future: 1 },
      [{ kind: "init", session: id, model: "m", tools: ["Bash"] }],
    ],
    [
      "a start whose session id is none: forged, so not believed",
      { type: "system", subtype: "init", session_id: "../../etc", model: "m", tools: [] },
      [{ kind: "other", type: "system/init" }],
    ],
    [
      "words and a tool in one message",
      assistant([
        { type: "thinking", thinking: "hm" },
        { type: "text", text: "I look." },
        { type: "tool_use", id: "t1", name: "Bash", input: { command: "ls\n  -l", description: "look" } },
      ]),
      [
        { kind: "text", text: "I look.", nested: false },
        { kind: "tool-use", id: "t1", name: "Bash", input: "ls -l", nested: false },
      ],
    ],
    [
      "a sub-agent's words",
      assistant([{ type: "text", text: "sub" }], { parent_tool_use_id: "t1" }),
      [{ kind: "text", text: "sub", nested: true }],
    ],
    [
      "a refusal of the API",
      assistant([{ type: "text", text: "API Error: 529" }], { error: "overloaded", api_error_status: 529 }),
      [{ kind: "api-error", status: 529, error: "overloaded", text: "API Error: 529" }],
    ],
    [
      "a tool's result, without the words beside it",
      {
        type: "user",
        message: {
          content: [
            { type: "tool_result", tool_use_id: "t1", is_error: true, content: "x" },
            { type: "text", text: "y" },
          ],
        },
        parent_tool_use_id: null,
      },
      [{ kind: "tool-result", id: "t1", failed: true, nested: false }],
    ],
    ["a person's words", { type: "user", message: { content: "hello" }, parent_tool_use_id: null }, []],
    [
      "a usage limit, in epoch seconds",
      { type: "rate_limit_event", rate_limit_info: { status: "rejected", resetsAt: 1_900_000_000 } },
      [{ kind: "rate-limit", rejected: true, resetsAt: 1_900_000_000_000 }],
    ],
    [
      "background tasks, without those that are no work",
      {
        type: "system",
        subtype: "background_tasks_changed",
        tasks: [{ task_id: "a" }, { task_id: "b", ambient: true }],
      },
      [{ kind: "background", tasks: 1 }],
    ],
    [
      "a success that is an error",
      {
        type: "result",
        subtype: "success",
        is_error: true,
        result: "API Error",
        num_turns: 1,
        terminal_reason: "api_error",
        api_error_status: 500,
        total_cost_usd: 0,
        modelUsage: {},
      },
      [
        {
          kind: "result",
          ok: false,
          text: "API Error",
          reason: "api_error",
          apiStatus: 500,
          turns: 1,
          totals: null,
          queued: 0,
          told: [],
        },
      ],
    ],
    [
      "the totals of several models, cached input counted",
      {
        type: "result",
        subtype: "success",
        is_error: false,
        result: "done",
        num_turns: 3,
        total_cost_usd: 0.25,
        queued_turn_count: 2,
        user_message_uuids: ["one", "two"],
        modelUsage: {
          a: { inputTokens: 1, outputTokens: 2, cacheReadInputTokens: 10, cacheCreationInputTokens: 100 },
          b: { inputTokens: 1_000, outputTokens: 3 },
        },
      },
      [
        {
          kind: "result",
          ok: true,
          text: "done",
          reason: null,
          apiStatus: null,
          turns: 3,
          totals: { costUsd: 0.25, inputTokens: 1_111, outputTokens: 5 },
          queued: 2,
          told: ["one", "two"],
        },
      ],
    ],
    [
      "an error without a reason of its own",
      {
        type: "result",
        subtype: "error_max_turns",
        is_error: true,
        errors: ["a", "b"],
        num_turns: 2,
        total_cost_usd: 0,
      },
      [
        {
          kind: "result",
          ok: false,
          text: "a\nb",
          reason: "max_turns",
          apiStatus: null,
          turns: 2,
          totals: null,
          queued: 0,
          told: [],
        },
      ],
    ],
    ["what is not known", { type: "system", subtype: "tomorrow" }, [{ kind: "other", type: "system/tomorrow" }]],
    ["a known type in another form", { type: "result", is_error: "no" }, [{ kind: "other", type: "result" }]],
    ["nothing", null, [{ kind: "other", type: "object" }]],
    ["a text", "hello", [{ kind: "other", type: "string" }]],
    ["an object without a type", {}, [{ kind: "other", type: "unnamed" }]],
  ];
  test.each(table)("%s", (_, raw, expected) => {
    expect(translate(raw)).toEqual(expected as ReturnType<typeof translate>);
  });

  test("a tool's input is one line of at most 400 characters", () => {
    const long = assistant([{ type: "tool_use", id: "t", name: "Write", input: { content: "a\n".repeat(1_000) } }]);
    const [message] = translate(long);
    const { input } = message as { input: string };
    expect(input).toMatch(/^\{"content":".*…$/);
    expect(input).toHaveLength(400);
  });
});

describe("a raw message for the stored stream", () => {
  test("is kept whole up to 64 KB", () => {
    const message = { type: "x", text: "a".repeat(60_000) };
    expect(boundedJson(message)).toBe(JSON.stringify(message));
  });
  test.each(["a", '"', "\u0000", "€", "😀"])("longer, it is cut to valid JSON that says so (%j)", (character) => {
    const message = { type: "user", subtype: "s", text: character.repeat(200_000) };
    const json = boundedJson(message);
    expect(Buffer.byteLength(json)).toBeLessThanOrEqual(64 * 1024);
    expect(JSON.parse(json)).toMatchObject({
      type: "user",
      subtype: "s",
      cut: true,
      note: `cut from ${Buffer.byteLength(JSON.stringify(message))} bytes to its beginning`,
      beginning: expect.stringMatching(/^\{"type":"user"/),
    });
  });
});

describe("what one run adds to a session's totals", () => {
  const totals = (costUsd: number, inputTokens: number, outputTokens: number) => ({
    costUsd,
    inputTokens,
    outputTokens,
  });
  test.each([
    ["of a fresh session, all", null, totals(1, 2, 3), totals(1, 2, 3)],
    ["of a resumed one, the difference", totals(1, 2, 3), totals(1.5, 12, 5), totals(0.5, 10, 2)],
    ["where the transcript had lost them, all", totals(5, 50, 9), totals(1, 60, 3), totals(1, 60, 3)],
    ["where none came, nothing", totals(5, 50, 9), null, totals(0, 0, 0)],
  ])("%s", (_, before, after, expected) => {
    expect(spentSince(before, after)).toEqual(expected);
  });
});
