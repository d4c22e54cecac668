import { z } from "zod";

const Block = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.literal("tool_use"), name: z.string(), input: z.record(z.string(), z.unknown()) }),
  z.object({ type: z.literal("tool_result"), content: z.unknown(), is_error: z.boolean().nullish() }),
]);

const Message = z.discriminatedUnion("type", [
  z.object({ type: z.literal("system"), subtype: z.literal("init"), session_id: z.string() }),
  z.object({
    type: z.enum(["assistant", "user"]),
    message: z.object({ content: z.array(z.unknown()) }),
  }),
  z.object({ type: z.literal("result"), is_error: z.boolean() }),
]);

/** What a person who watches an agent wants to see of its stream. */
export type Sight =
  | { kind: "session"; id: string }
  | { kind: "says" | "does" | "finds"; text: string }
  | { kind: "ended" };

/** One message of the agent's stream; what nobody watches (bookkeeping, the results of reading) gives nothing. */
export function seen(message: unknown): Sight[] {
  const parsed = Message.safeParse(message);
  if (!parsed.success) return [];
  const found = parsed.data;
  switch (found.type) {
    case "system":
      return [{ kind: "session", id: found.session_id }];
    case "assistant":
    case "user":
      return found.message.content.flatMap((block) => ofBlock(found.type, block));
    case "result":
      return [{ kind: "ended" }];
    default:
      return found satisfies never;
  }
}

function ofBlock(speaker: "assistant" | "user", block: unknown): Sight[] {
  const parsed = Block.safeParse(block);
  if (!parsed.success) return [];
  switch (parsed.data.type) {
    case "text":
      return speaker === "assistant" ? [{ kind: "says", text: firstLine(parsed.data.text) }] : [];
    case "tool_use":
      return [{ kind: "does", text: call(parsed.data.name, parsed.data.input) }];
    case "tool_result":
      return outcome(textOf(parsed.data.content), parsed.data.is_error === true);
    default:
      return parsed.data satisfies never;
  }
}

function call(name: string, input: Record<string, unknown>): string {
  const field = (key: string): string => (typeof input[key] === "string" ? input[key] : "");
  if (name === "Bash") return `$ ${shortened(field("command"))}`;
  const target = (field("file_path") || field("path") || field("pattern") || field("description")).replace(
    /^\/repo\//,
    "",
  );
  const size = name === "Edit" ? changed(field("old_string"), field("new_string")) : "";
  return [name, target, size].filter((part) => part !== "").join(" ");
}

/** `(+2 −1)`: the lines between what both texts begin and end with. */
function changed(before: string, after: string): string {
  const [old, now] = [before.split("\n"), after.split("\n")];
  const shorter = Math.min(old.length, now.length);
  let start = 0;
  while (start < shorter && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < shorter - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  return `(+${now.length - start - end} −${old.length - start - end})`;
}

/** Of a test run its figures, of a failure its first line. */
function outcome(text: string, failed: boolean): Sight[] {
  const figures = [...text.matchAll(/^\s*(\d+) (pass|fail)$/gm)].map(([, count, word]) => `${count} ${word}`);
  if (figures.length > 0) return [{ kind: "finds", text: figures.join(", ") }];
  return failed ? [{ kind: "finds", text: firstLine(text) }] : [];
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  const parts = z.array(z.object({ text: z.string() })).safeParse(content);
  return parts.success ? parts.data.map(({ text }) => text).join("\n") : "";
}

function shortened(command: string): string {
  const first = firstLine(command);
  return first === command.trim() ? first : `${first} …`;
}

const firstLine = (text: string): string => text.trim().split("\n", 1)[0] ?? "";
