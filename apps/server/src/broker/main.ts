import { linesOf } from "./lines.ts";
import { Command, type Report, Setup } from "./protocol.ts";
import { createSockets, type Sockets } from "./sockets.ts";

const maxLineBytes = 1024 * 1024;

// The service ends it by closing its input; a Ctrl-C or a stop meant for the service must not cut its runs' last requests.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
process.stdout.on("error", () => process.exit(0));
process.umask(0o077);

process.exit(await serve(linesOf(process.stdin, maxLineBytes)));

async function serve(lines: AsyncGenerator<string>): Promise<number> {
  const first = await lines.next();
  if (first.done) return 0;
  const setup = Setup.safeParse(parsed(first.value));
  if (!setup.success) {
    say({ fatal: `the broker's settings: ${faultsOf(setup.error.issues)}` });
    return 2;
  }
  const secret = setup.data.credential.value;
  const tell = (report: Report) => say(report, secret);
  process.on("uncaughtException", (error) => {
    tell({ fatal: `the broker failed: ${error.message}` });
    process.exit(1);
  });
  const sockets = createSockets({
    ...setup.data,
    now: Date.now,
    report: (request) => tell({ request }),
    refused: (refused) => tell({ refused }),
  });
  tell({ ready: true });
  for await (const line of lines) await obey(sockets, line, tell);
  return 0;
}

async function obey(sockets: Sockets, line: string, tell: (report: Report) => void): Promise<void> {
  const command = Command.safeParse(parsed(line));
  if (!command.success) throw new Error(`a command that is none: ${faultsOf(command.error.issues)}`);
  if ("close" in command.data) {
    const { run } = command.data.close;
    await sockets.close(run);
    return tell({ closed: { run } });
  }
  const { run } = command.data.open;
  try {
    await sockets.open(command.data.open);
    tell({ opened: { run } });
  } catch (error) {
    tell({ failed: { run, error: error instanceof Error ? error.message : String(error) } });
  }
}

/** Paths and rules only: a fault's input can be the credential. */
function faultsOf(issues: readonly { path: PropertyKey[]; message: string }[]): string {
  return issues.map(({ path, message }) => `${path.join(".") || "line"}: ${message}`).join("; ");
}

function say(report: Report, secret?: string): void {
  const masked = (_key: string, value: unknown) =>
    typeof value === "string" && secret !== undefined ? value.replaceAll(secret, "[credential]") : value;
  process.stdout.write(`${JSON.stringify(report, masked)}\n`);
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
