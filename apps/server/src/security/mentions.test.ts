import { describe, expect, test } from "bun:test";
import { mentionedLogins, mentions } from "./mentions.ts";

describe("a mention", () => {
  test.each<[string, string[]]>([
    ["@dev-bot please fix", ["dev-bot"]],
    ["please, @dev-bot.", ["dev-bot"]],
    ["@Dev-Bot and @DEV-BOT", ["dev-bot"]],
    ["(@dev-bot) [@reviewer] cc:@alice", ["dev-bot", "reviewer", "alice"]],
    ["**@dev-bot** _@reviewer_ ~~@alice~~ ***@bob***", ["dev-bot", "reviewer", "alice", "bob"]],
    ["# @dev-bot\n\n- @reviewer\n\n1. @alice", ["dev-bot", "reviewer", "alice"]],
    ["| @dev-bot | @reviewer |\n|---|---|\n| `@alice` | @bob |", ["dev-bot", "reviewer", "bob"]],
    ["[@dev-bot](https://h/@alice)", ["dev-bot"]],
    ["@dev-bot's branch", ["dev-bot"]],
    ["@a.b_c-d. ok", ["a.b_c-d"]],
    ["line\n@dev-bot\nline", ["dev-bot"]],
    ["<b>@dev-bot</b>", ["dev-bot"]],
    ["> quoted @alice\n\n@dev-bot answer", ["dev-bot"]],
    ["`code` @dev-bot", ["dev-bot"]],
    ["<code>@alice</code> @dev-bot", ["dev-bot"]],
    ["On Monday we met\n\n> x\n\n@dev-bot", ["dev-bot"]],
    ["日本語 @dev-bot、お願い", ["dev-bot"]],
    ["@dev-bot\r\n\r\n> @alice\r\n", ["dev-bot"]],
  ])("is found in %j", (markdown, logins) => {
    expect(mentionedLogins(markdown)).toEqual(logins);
  });

  test.each([
    "> @dev-bot do it",
    ">@dev-bot\n> @dev-bot",
    "> text\n@dev-bot is a lazy line of the quote",
    "- item\n  > @dev-bot",
    "`@dev-bot`",
    "`` ` @dev-bot ``",
    "`over\nlines @dev-bot`",
    "```\n@dev-bot\n```",
    "~~~sh\n@dev-bot\n~~~",
    "```\n@dev-bot never closed",
    "    @dev-bot indented",
    "text <!-- @dev-bot --> text",
    "<!--\n@dev-bot\n-->",
    "<!-- @dev-bot never closed",
    '<a href="@dev-bot">x</a>',
    '<img alt=" @dev-bot ">',
    "![@dev-bot](x.png)",
    "[x](https://h/@dev-bot)",
    '[x](https://h "@dev-bot")',
    "[x]: https://h/ '@dev-bot'",
    "https://h/@dev-bot and https://h/?to=,@dev-bot",
    "see www.h.org/(@dev-bot)",
    "<https://h/,@dev-bot>",
    "<xmpp:a,@dev-bot>",
    "foo@dev-bot.com",
    "foo.@dev-bot",
    "mail me at foo+@dev-bot",
    "@dev-bot.com",
    "@dev-bot@other.social",
    "@dev-bot/team",
    "path/@dev-bot",
    "\\@dev-bot",
    "&#64;dev-bot",
    "@@dev-bot",
    "é@dev-bot",
    "@-dev-bot",
    "@ dev-bot",
    "@",
    "",
    "<blockquote>\n\n@dev-bot\n\n</blockquote>",
    "<pre>@dev-bot</pre>",
    "a <code>@dev-bot</code> b",
    "<q>never closed\n\n@dev-bot",
    "On Mon, 5 Jan 2026, @dev-bot wrote:\n> hello",
    "On Mon, 5 Jan 2026 at 10:00,\n@dev-bot <bot@example.org> wrote:\n\n> hello",
  ])("is not found in %j", (markdown) => {
    expect(mentionedLogins(markdown).filter((login) => login === "dev-bot")).toEqual([]);
  });

  test("is found in a text of one megabyte as far as it is looked at, and the rest is said", () => {
    const long = `@dev-bot see\n\n${"x".repeat(79)}\n`.padEnd(20_000, "y\n");
    const { logins, incomplete } = mentions(long + "\n@late\n".repeat(150_000));
    expect(logins).toContain("dev-bot");
    expect(incomplete).toMatch(/^only the first \d+ of \d+ characters were looked at$/);
    expect(mentions(`${"y\n".repeat(30_000)}@late`).logins).toEqual([]);
    expect(mentions("@dev-bot").incomplete).toBeNull();
  });

  test("is not made by cutting a long text inside of code", () => {
    const text = `fine\n\n\`${"x\n".repeat(16_000)} @dev-bot\n${"x\n".repeat(1000)}\``;
    expect(text.indexOf("@dev-bot")).toBeLessThan(32 * 1024);
    expect(mentions(text).logins).toEqual([]);
  });

  test("is not made by cutting a login", () => {
    const text = `${"x".repeat(32 * 1024 - 5)} @dev-bot`;
    expect(mentions(text)).toMatchObject({ logins: [], incomplete: expect.any(String) });
  });

  test("is not looked for where quotes or lists nest without end, and that is said", () => {
    for (const hostile of [">".repeat(30_000), "1. ".repeat(10_000), "- > ".repeat(5000), "+\t".repeat(9000)]) {
      const { logins, incomplete } = mentions(`@dev-bot\n${hostile}@dev-bot`);
      expect(logins).toEqual([]);
      expect(incomplete).toContain("nest deeper than 32");
    }
    expect(mentions("> > > x\n\n@dev-bot")).toEqual({ logins: ["dev-bot"], incomplete: null });
  });
});

describe("hostile text of 1 MiB is looked at in bounded time", () => {
  // biome-ignore format: a list to be read in lines
  const shapes = [
    "*a_ ", "*_", "a**b", "[*", "**a *b", "![", "[a](", '[a](b"', "[a]: b\n", "[a][b]", "<a ", "<!--", "<!-", "<http:",
    "&a", "@dev-bot,", "a\n=", "_*@", "~~*", "x@dev-bot", "https://a ", "On a\nwrote:\n", "```\n", "<code>", "<q>a</q>",
    "_@a", ">", " ", "`", "*", "_", "[", "]", "!", "<", "(", ")", "&", "#", "|", "\\", "@", "-", "+", "\n", "\t", "> a\n",
  ];

  // Without the bound and the missing emphasis, one of them takes a minute: the runner's own time limit ends that.
  test.each(shapes)("%j", (shape) => {
    const text = `@dev-bot\n\n${shape.repeat(Math.ceil(1024 ** 2 / shape.length))}`;
    const short = `${text.slice(0, 32 * 1024 - 1)}\n`;
    expect(mentions(text).incomplete).not.toBeNull();
    expect(mentions(short).logins.slice(0, 1)).toEqual(shape === ">" ? [] : ["dev-bot"]);
  });
});
