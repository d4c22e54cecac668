/**
 * What the agent binary writes into a transcript by itself, so that it is not taken for a person's prompt or a model's
 * reply. Measured with the native binary 2.1.330; `e2e.test.ts` fails when a new version changes what matters.
 */

const wrapped = /<(system-reminder|task-notification|local-command-caveat)>[\s\S]*?<\/\1>/g;
const notPrompts = [
  /^\[Request interrupted by user/,
  /^<(command-name|command-message|local-command-stdout|local-command-stderr)>/,
  /^This session is being continued from a previous conversation/,
  /^Continue from where you left off\.$/,
];
const folded =
  /The user sent (?:a )?new messages? while you were working:\n([\s\S]*?)\n\nThis is how Claude Code surfaces/g;

/** What a person said in this text; empty when all of it is the binary's own. */
export function spoken(text: string): string {
  const said = text.replace(wrapped, "").trim();
  return notPrompts.some((pattern) => pattern.test(said)) ? "" : said;
}

/** The binary puts this behind a turn that was interrupted; what follows is a new prompt. */
export function isInterruption(text: string): boolean {
  return text.trimStart().startsWith("[Request interrupted by user");
}

/** Messages that arrived while a tool ran: a system message, or a reminder inside a tool result (older models). */
export function foldedIn(text: string): string[] {
  return [...text.matchAll(folded)].map((match) => match[1] ?? "");
}

/** On resume the binary closes a turn that got no reply with this line of its own. */
export function isPlaceholderReply(text: string): boolean {
  return text.trim() === "No response requested.";
}

/** The head of the request that asks for a summary before the transcript is compacted. */
export const compactionHead = "CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.";

/** In the system prompt of the request that names the session. */
export const titleMark = "You are naming a coding session";

/** In the first system block of a sub-agent's requests; the header `x-claude-code-agent-id` says the same. */
export const subagentMark = "cc_is_subagent=true";
