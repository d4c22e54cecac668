import { expect, test } from "bun:test";
import { asPrompt, usePrefix } from "./prefix.ts";
import type { CountRequest, Message } from "./wire.ts";

const kept = { cache_control: { type: "ephemeral" } };
const system = [{ type: "text", text: "s".repeat(4000), ...kept }];
const user = (text: string, more = {}): Message => ({ role: "user", content: [{ type: "text", text, ...more }] });
const request = (...messages: Message[]): CountRequest => ({ model: "m", system, messages });

test("the first request of a conversation reads nothing and writes up to its last breakpoint", () => {
  const use = usePrefix(asPrompt(request(user("hello", kept), user("x".repeat(400)))), undefined);
  expect(use).toMatchObject({ share: 0, readTokens: 0 });
  expect(use.createdTokens).toBeGreaterThan(1000);
  expect(use.freshTokens).toBeGreaterThan(100);
});

test("a request that only grows reads the whole previous one, wherever the breakpoint went", () => {
  const before = asPrompt(request(user("hello", kept)));
  const grown = asPrompt(
    request({ role: "user", content: "hello" }, { role: "assistant", content: "hi" }, user("go", kept)),
  );
  const use = usePrefix(grown, before);
  expect(use.share).toBe(before.bytes.length / grown.bytes.length);
  expect(use.readTokens).toBe(Math.ceil(before.bytes.length / 4));
  expect(use.freshTokens).toBe(0);
});

test("a request that changes an early message reads up to the breakpoint before the change", () => {
  const before = asPrompt(request(user("hello", kept)));
  const changed = asPrompt(request(user("hullo", kept)));
  const systemBytes = before.breakpoints[0] ?? 0;
  expect(usePrefix(changed, before).readTokens).toBe(Math.ceil(systemBytes / 4));
  expect(usePrefix(changed, before).share).toBeGreaterThan(systemBytes / changed.bytes.length);
});

test("a changed system prompt leaves nothing to read", () => {
  const before = asPrompt(request(user("hello", kept)));
  const other = asPrompt({ ...request(user("hello", kept)), system: "t" });
  expect(usePrefix(other, before).readTokens).toBe(0);
});
