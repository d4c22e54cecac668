import { describe, expect, test } from "bun:test";
import { seen } from "./agent-lines.ts";

const says = (...content: unknown[]) => seen({ type: "assistant", message: { content } });
const tool = (name: string, input: Record<string, unknown>) => says({ type: "tool_use", id: "1", name, input });
const result = (content: unknown, is_error?: boolean) =>
  seen({ type: "user", message: { content: [{ type: "tool_result", tool_use_id: "1", content, is_error }] } });

describe("what is seen of an agent's stream", () => {
  test("its session and its end", () => {
    expect(seen({ type: "system", subtype: "init", session_id: "s1", model: "m" })).toEqual([
      { kind: "session", id: "s1" },
    ]);
    expect(seen({ type: "result", is_error: false })).toEqual([{ kind: "ended" }]);
  });

  test("the first line of what it says", () => {
    expect(says({ type: "text", text: "\nOne.\nTwo." })).toEqual([{ kind: "says", text: "One." }]);
  });

  const calls = [
    ["Bash", { command: "bun test\n# all of it", description: "Run" }, "$ bun test …"],
    ["Bash", { command: "bun test\n" }, "$ bun test"],
    ["Read", { file_path: "/repo/src/a.ts" }, "Read src/a.ts"],
    ["Grep", { pattern: "x+" }, "Grep x+"],
    ["Other", {}, "Other"],
    ["Edit", { file_path: "/repo/a", old_string: "a\nb\nc", new_string: "a\nx\ny\nc" }, "Edit a (+2 −1)"],
    ["Edit", { file_path: "/repo/a", old_string: "a\na", new_string: "a\na\na" }, "Edit a (+1 −0)"],
  ] as const;
  test.each(calls)("%s %j → %s", (name, input, text) => {
    expect(tool(name, input)).toEqual([{ kind: "does", text }]);
  });

  test("the figures of a test run, red or green", () => {
    const found = [{ kind: "finds", text: "3 pass, 1 fail" }] as const;
    expect(result("Exit code 1\n 3 pass\n 1 fail\n 4 expect() calls", true)).toEqual([...found]);
    expect(result([{ type: "text", text: " 3 pass\n 1 fail" }])).toEqual([...found]);
  });

  test("of a failed tool the first line, of any other result nothing", () => {
    expect(result("No such file\nat all", true)).toEqual([{ kind: "finds", text: "No such file" }]);
    expect(result("export const a = 1;")).toEqual([]);
  });

  test("nothing of bookkeeping, prompts and kinds that are not known", () => {
    expect(seen({ type: "system", subtype: "api_retry" })).toEqual([]);
    expect(seen({ type: "user", message: { content: [{ type: "text", text: "the prompt" }] } })).toEqual([]);
    expect(says({ type: "thinking", thinking: "hm" })).toEqual([]);
    expect(seen(null)).toEqual([]);
  });
});
