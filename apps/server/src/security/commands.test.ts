import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { commandLines } from "./commands.ts";

const given = (markdown: string): string[] =>
  commandLines(markdown).lines.map(({ name, args }) => [name, ...args].join(" "));

describe("a command", () => {
  const table: [string, string, string[]][] = [
    ["alone", "/stop", ["stop"]],
    ["with words", "/stop dev  now", ["stop dev now"]],
    ["as a phone writes it", "/Stop", ["stop"]],
    ["after other lines", "Wait.\n/stop\nThank you.", ["stop"]],
    ["with Windows' line ends", "Wait.\r\n/stop\r\n/reset\r\n", ["stop", "reset"]],
    ["several", "/stop\n/reset dev", ["stop", "reset dev"]],
    ["after a quote", "> /reset\n\n/stop", ["stop"]],
    ["indented a little", "  /stop", ["stop"]],
  ];
  test.each(table)("%s is found", (_, markdown, commands) => expect(given(markdown)).toEqual(commands));

  const none: [string, string][] = [
    ["in a quote", "> /stop"],
    ["in a line that belongs to the quote above it", "> they wrote\n/stop"],
    ["in code", "`/stop`"],
    ["in a block of code", "```\n/stop\n```"],
    ["in indented code", "    /stop"],
    ["in an HTML comment", "<!--\n/stop\n-->"],
    ["in HTML code", "<pre>\n/stop\n</pre>"],
    ["in a list", "- /stop"],
    ["in a heading", "# /stop"],
    ["in the middle of a line", "please /stop"],
    ["after a mention", "@dev-bot /stop"],
    ["escaped", "\\/stop"],
    ["that is a path", "/usr/bin/env is missing"],
    ["that is a word more", "/stop."],
    ["that is part of a bold line", "see **this** /stop"],
    ["below thirty-three quotes", `${">".repeat(33)} x\n\n/stop`],
  ];
  test.each(none)("%s is none", (_, markdown) => expect(given(markdown)).toEqual([]));

  test.each([
    ["/stop", true],
    ["\n/stop\n\n/reset\n", true],
    ["/stop\nuntil Monday", false],
    ["> why?\n\n/stop", false],
    ["nothing", false],
    ["", false],
  ])("%j says nothing else: %p", (markdown, alone) => expect(commandLines(markdown).alone).toBe(alone));

  test("is never found where a text has no slash, and never throws", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => commandLines(text).lines.length <= text.length));
    fc.assert(fc.property(fc.string(), (text) => given(text.replaceAll("/", "")).length === 0));
  });
});
