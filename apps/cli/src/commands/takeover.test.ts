import { describe, expect, test } from "bun:test";
import type { Client } from "../client.ts";
import { quoted, takeover, terminalCommand } from "./takeover.ts";

describe("a command line that is printed", () => {
  test.each(["plain", "a b", "it's", "$(touch x)", '"', "", "\\", "a\nb", "*"])("means %j to a shell", (word) => {
    const { stdout } = Bun.spawnSync(["/bin/sh", "-c", `printf %s ${quoted(word)}`], { env: {} });
    expect(stdout.toString()).toBe(word);
  });

  test("runs in a terminal of its own, from the root folder and with an empty environment, and gives its exit code", () => {
    const line = terminalCommand(["/bin/sh", "-c", "tty -s && pwd && /usr/bin/env | grep -c SECRET; exit 7"]);
    const env = { PATH: "/usr/bin:/bin", SECRET: "x", SHELL: "/bin/false" };
    const { stdout, exitCode } = Bun.spawnSync(["/bin/sh", "-c", line.map(quoted).join(" ")], { env, stdin: "ignore" });
    expect(stdout.toString().trim().split(/\s+/)).toEqual(["/", "0"]);
    expect(exitCode).toBe(7);
  });
});

describe("a takeover", () => {
  const running = { id: "01a2052b-aaaa-7345-a8ed-00001341d85e", state: "running" };
  /** Answers each request with the next of these. */
  function serve(answers: unknown[]) {
    const asked: string[] = [];
    const send = async (method: string, path: string, _: unknown, body?: unknown) => {
      asked.push(`${method} ${path}${body === undefined ? "" : ` ${JSON.stringify(body)}`}`);
      return answers.shift();
    };
    return { asked, client: { send } as unknown as Client };
  }
  const held = (run: object | null) => ({ lane: "dev:a/b#1", session: "s", held_since: 0, run });
  const opened = {
    lane: "dev:a/b#1",
    checkout: "/state/lanes/1/checkout",
    session: "s",
    command: ["/usr/bin/prlimit", "x y"],
  };
  const terminal = { kind: "vt100", run: async () => 3, wait: async () => {} };

  test("waits for the run under way, and prints the command where nothing else is said", async () => {
    const { asked, client } = serve([held(running), held(running), held(null), opened]);
    const lines: string[] = [];
    const code = await takeover({ client, print: (line) => void lines.push(line), terminal }, "a/b#1", {
      agent: "dev",
    });
    expect(code).toBe(0);
    expect(asked[0]).toBe('POST /takeovers {"thread":"a/b#1","agent":"dev","stop":false}');
    expect(asked.slice(1)).toEqual([
      'POST /takeovers {"thread":"dev:a/b#1","agent":null,"stop":false}',
      'POST /takeovers {"thread":"dev:a/b#1","agent":null,"stop":false}',
      "POST /takeovers/dev%3Aa%2Fb%231/terminal?term=vt100",
    ]);
    expect(lines[1]).toContain("run 1341d85e is running: waiting for its end; --stop stops it");
    expect(lines.at(-1)).toBe(
      `env SHELL=/bin/sh script --quiet --return --flush --command 'cd / && exec env -i /usr/bin/prlimit '\\''x y'\\''' /dev/null`,
    );
  });

  test("with --exec runs it, gives its exit code and says how to go on", async () => {
    const { client } = serve([held(null), opened]);
    const lines: string[] = [];
    expect(await takeover({ client, print: (line) => void lines.push(line), terminal }, "a/b#1", { exec: true })).toBe(
      3,
    );
    expect(lines.at(-1)).toContain("still held: `claude-hooks handback dev:a/b#1`");
  });
});
