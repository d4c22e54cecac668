import { spokenText } from "./spoken.ts";

/** A line that begins with `/name`, outside quotes and code. */
export interface CommandLine {
  /** In lower case, without the slash. */
  name: string;
  /** The words after it. */
  args: readonly string[];
}

export interface CommandLines {
  lines: readonly CommandLine[];
  /** The text has nothing else in it. */
  alone: boolean;
}

const command = /^[ \t]*\/([a-z][a-z-]*)(?:[ \t]+(.*))?$/i;

/** Every line of a comment that could be a command, in order; whether there is such a command, and who may give it, is for others to say. */
export function commandLines(markdown: string): CommandLines {
  if (!markdown.includes("/")) return { lines: [], alone: false };
  const lines = spokenText(markdown).stretches.flatMap(({ text, startsLine }) =>
    text
      .split(/\r?\n/)
      .filter((_, index) => index > 0 || startsLine)
      .flatMap(commandIn),
  );
  const written = markdown.split("\n").filter((line) => line.trim() !== "").length;
  return { lines, alone: lines.length > 0 && lines.length === written };
}

function commandIn(line: string): CommandLine[] {
  const [, name, rest = ""] = command.exec(line) ?? [];
  if (name === undefined) return [];
  return [{ name: name.toLowerCase(), args: rest.split(/\s+/).filter((word) => word !== "") }];
}
