import { Handback, Takeover, TakeoverTerminal } from "@claude-hooks/api";
import { type Client, ClientError } from "../client.ts";
import { printable, shortId } from "../text.ts";

type Print = (text: string) => void;

export interface TakeoverOptions {
  agent?: string;
  stop?: boolean;
  exec?: boolean;
}

export interface Terminal {
  /** The operator's own, as TERM says. */
  kind: string;
  /** Runs it in this terminal; answers its exit code. */
  run(command: readonly string[]): Promise<number>;
  wait(ms: number): Promise<void>;
}

const lookEveryMs = 500;

/** Holds the lane, waits for its run to end, and prints or runs what opens the agent's own session. Answers the exit code. */
export async function takeover(
  { client, print, terminal }: { client: Client; print: Print; terminal: Terminal },
  thread: string,
  options: TakeoverOptions,
): Promise<number> {
  const request = { thread, agent: options.agent ?? null, stop: options.stop === true };
  const first = await client.send("POST", "/takeovers", Takeover, request);
  const { lane } = first;
  print(printable(`${lane} is held: no run of it starts until \`claude-hooks handback ${lane}\``));
  if (first.run !== null) {
    const { id, state } = first.run;
    const how = request.stop
      ? "it is being stopped"
      : "waiting for its end; --stop stops it, Ctrl-C leaves the lane held";
    print(`run ${shortId(id)} is ${state}: ${how}`);
  }
  for (let { run } = first; run !== null; ) {
    await terminal.wait(lookEveryMs);
    ({ run } = await client.send("POST", "/takeovers", Takeover, { ...request, thread: lane, agent: null }));
  }
  const path = `/takeovers/${encodeURIComponent(lane)}/terminal?term=${encodeURIComponent(terminal.kind)}`;
  const opened = await client.send("POST", path, TakeoverTerminal);
  const command = terminalCommand(opened.command);
  if (options.exec !== true) {
    print(`the session ${opened.session} in ${opened.checkout}, as the service's user on its machine:`);
    print(command.map(quoted).join(" "));
    return 0;
  }
  const code = await terminal.run(command);
  print(
    `\nleft with exit code ${code}; ${lane} is still held: \`claude-hooks handback ${lane}\` lets the service go on`,
  );
  return code;
}

export async function handback(
  client: Client,
  print: Print,
  thread: string,
  options: { agent?: string; force?: boolean },
): Promise<void> {
  const query = new URLSearchParams({
    ...(options.agent === undefined ? {} : { agent: options.agent }),
    ...(options.force === true ? { force: "1" } : {}),
  });
  const path = `/takeovers/${encodeURIComponent(thread)}?${query.toString()}`;
  const { lane, waiting } = await client.send("DELETE", path, Handback);
  print(printable(`${lane} is the service's again${waiting ? ", and goes on with what waits" : "; nothing waits"}`));
}

/** In a terminal made for it alone: what runs inside can type into its terminal, and must not reach the operator's. */
export function terminalCommand(command: readonly string[]): string[] {
  if (command.length === 0) throw new ClientError("the service gave no command to run");
  const inner = `cd / && exec env -i ${command.map(quoted).join(" ")}`;
  return ["env", "SHELL=/bin/sh", "script", "--quiet", "--return", "--flush", "--command", inner, "/dev/null"];
}

/** For a POSIX shell. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
