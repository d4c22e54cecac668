#!/usr/bin/env bun
import { join } from "node:path";
import { readStateDir } from "@claude-hooks/server/config";
import { configJsonSchema } from "@claude-hooks/server/schema";
import { Command } from "commander";
import { Client, ClientError } from "./client.ts";
import { explain } from "./commands/explain.ts";
import { listRuns, showRun, tailRun } from "./commands/runs.ts";
import { exportSessions, importSessions, listSessions, resetSession, showSession } from "./commands/sessions.ts";
import { handback, type TakeoverOptions, takeover } from "./commands/takeover.ts";
import { ownTerminal } from "./terminal.ts";

const print = (text: string): void => void process.stdout.write(`${text}\n`);

const program = new Command("claude-hooks")
  .description("Turns a git forge into a place where coding agents work.")
  .option("-c, --config <file>", "the configuration", process.env["CLAUDE_HOOKS_CONFIG"] ?? "config/agents.json")
  .option("-s, --state <folder>", "the service's state folder (default: the configuration's state_dir)")
  .showHelpAfterError("(--help lists the commands)");

const client = (): Client => {
  const { config, state } = program.opts<{ config: string; state?: string }>();
  return new Client(join(state ?? readStateDir(config), "api.sock"));
};

program
  .command("serve")
  .description("run the service")
  .action(async () => {
    const { serve } = await import("@claude-hooks/server");
    process.exitCode = await serve(program.opts<{ config: string }>().config);
  });

program
  .command("demo")
  .description("show the whole job on a simulated forge and a scripted model")
  .option("--exit", "end by itself, with 0 only if everything held")
  .option("--json", "print what happened as JSON (with --exit)")
  .option("--live", "use the real model, with ANTHROPIC_API_KEY")
  .action(async (options: { exit?: boolean; json?: boolean; live?: boolean }) => {
    const { demo } = await import("./demo/demo.ts");
    process.exitCode = await demo(options);
  });

program
  .command("schema")
  .description("print the JSON Schema of the configuration, for editors")
  .action(() => void process.stdout.write(configJsonSchema()));

const runs = program.command("runs").description("what ran, and what came of it");
runs
  .command("ls")
  .description("the newest runs")
  .option("-n, --limit <number>", "how many", "30")
  .option("--json", "as JSON")
  .action((options: { limit: string; json?: boolean }) => listRuns(client(), print, options));
runs
  .command("show <run>")
  .description("one run; the last part of its id is enough")
  .option("--json", "as JSON")
  .action((id: string, options: { json?: boolean }) => showRun(client(), print, id, options));
runs
  .command("tail <run>")
  .description("what a run's agent says and does, live while it works")
  .option("--json", "as JSON lines")
  .action((id: string, options: { json?: boolean }) => tailRun(client(), print, id, options));

const sessions = program.command("sessions").description("what agents remember: a session for each lane");
sessions
  .command("ls")
  .description("the sessions, and the lanes that a person holds")
  .option("-n, --limit <number>", "how many", "200")
  .option("--json", "as JSON")
  .action((options: { limit: string; json?: boolean }) => listSessions(client(), print, options));
sessions
  .command("show <lane>")
  .description("one session, as dev:owner/repo#12")
  .option("--json", "as JSON")
  .action((lane: string, options: { json?: boolean }) => showSession(client(), print, lane, options));
sessions
  .command("reset <lane>")
  .description("drop a session: the lane's next run starts fresh")
  .action((lane: string) => resetSession(client(), print, lane));
sessions
  .command("export")
  .description("the live sessions as JSON, for another service to import")
  .option("-o, --output <file>", "into a new file")
  .action((options: { output?: string }) => exportSessions(client(), print, options));
sessions
  .command("import <file>")
  .description("take in sessions that were exported, or a sessions.json of an earlier system; can be repeated")
  .action(async (file: string) => {
    if (!(await importSessions(client(), print, file))) process.exitCode = 1;
  });

program
  .command("takeover <thread>")
  .description("hold a lane, and open its agent's own session in its own jail; on the service's machine, as its user")
  .option("--agent <type>", "whose session, where several agents have one")
  .option("--stop", "stop the run that is under way instead of waiting for its end")
  .option("--exec", "open it in this terminal instead of printing the command")
  .action(async (thread: string, options: TakeoverOptions) => {
    process.exitCode = await takeover({ client: client(), print, terminal: ownTerminal }, thread, options);
  });
program
  .command("handback <thread>")
  .description("let the service go on with a lane that was taken over")
  .option("--agent <type>", "whose lane, where several are held")
  .option("--force", "although its session is still open in a terminal")
  .action((thread: string, options: { agent?: string; force?: boolean }) => handback(client(), print, thread, options));

program
  .command("explain <subject>")
  .description("why something ran, or why nothing did: a delivery, an event, a run, or a thread such as owner/repo#12")
  .option("--json", "as JSON")
  .action((subject: string, options: { json?: boolean }) => explain(client(), print, subject, options));

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof ClientError) && !(error instanceof Error && error.name === "ConfigError")) throw error;
  process.stderr.write(`claude-hooks: ${error.message}\n`);
  process.exitCode = 1;
}
