import { relative, resolve } from "node:path";
import { ClientError } from "../client.ts";
import { Ending, interruptedCode } from "./ending.ts";
import { DemoFailure, Interrupted } from "./failure.ts";
import { type Outcome, play, tellService } from "./play.ts";
import { Service } from "./service.ts";
import { paperFor, Story } from "./story.ts";
import { tellTotals } from "./totals.ts";
import { Watch } from "./watch.ts";
import { type LiveModel, makeFolder, openWorld, removeFolder } from "./world.ts";

export interface DemoOptions {
  exit?: boolean;
  json?: boolean;
  live?: boolean;
}

const stageMs = { scripted: 2 * 60_000, live: 15 * 60_000 };

/**
 * Shows the whole job on a simulated forge. Answers the exit code: 0 only if everything held, 1 where it did not, 2 where
 * `--live` lacks its key, 130 where it was interrupted before its end.
 */
export async function demo(options: DemoOptions): Promise<number> {
  const started = performance.now();
  const live = options.live === true ? liveModel(process.env) : undefined;
  if (live === null) {
    const why = "demo --live needs the environment variable ANTHROPIC_API_KEY; without --live it needs no key";
    process.stderr.write(`claude-hooks: ${why}\n`);
    return 2;
  }
  const paper = paperFor(options.json === true ? process.stderr : process.stdout, process.env);
  const story = new Story(paper, () => performance.now() - started);
  story.plain(`${opening(live)}\n`);
  await using ending = new Ending((text) => story.plain(text));
  const result = await perform(story, live, ending);
  if (result.kind === "interrupted") return interruptedCode;
  if (result.kind === "played") tellTotals(story, result.outcome);
  else story.failure([result.failure, ...whereToLook(result, options.exit === true)].join("\n"));
  if (options.json === true) process.stdout.write(`${JSON.stringify(asData(result, story), null, 2)}\n`);
  if (options.exit !== true) await stayUp(story, ending, result);
  return result.kind === "played" && result.outcome.ok ? 0 : 1;
}

function liveModel(env: NodeJS.ProcessEnv): LiveModel | null {
  if ((env["ANTHROPIC_API_KEY"] ?? "") === "") return null;
  return { baseUrl: env["ANTHROPIC_BASE_URL"] ?? "https://api.anthropic.com" };
}

function opening(live: LiveModel | undefined): string {
  const model = live === undefined ? "the model a script and no model" : `the model a real one (${live.baseUrl})`;
  return `claude-hooks demo: the forge is a simulator, ${model}; the service, the agent binary, git and the jail are real.`;
}

type Result =
  | { kind: "played"; outcome: Outcome; stateDir: string }
  | { kind: "failed"; failure: string; log: string[]; folder: string | undefined }
  | { kind: "interrupted" };

type Played = Omit<Result & { kind: "played" }, "kind">;

interface Opened {
  folder?: string;
  service?: Service;
}

async function perform(story: Story, live: LiveModel | undefined, ending: Ending): Promise<Result> {
  const opened: Opened = {};
  try {
    return { kind: "played", ...(await open(opened, story, live, ending)) };
  } catch (error) {
    const { service, folder } = opened;
    // Where the service died, its last words say more than whoever missed it first.
    await service?.deathNoticed();
    const reason: unknown = ending.signal.aborted ? ending.signal.reason : error;
    if (reason instanceof Interrupted) return { kind: "interrupted" };
    // What else still waits must not go on with the story.
    ending.fail(new DemoFailure("the story is over"));
    return { kind: "failed", failure: inWords(reason), log: service?.log.tail(15) ?? [], folder };
  }
}

async function open(opened: Opened, story: Story, live: LiveModel | undefined, ending: Ending): Promise<Played> {
  const folder = await makeFolder();
  opened.folder = folder;
  ending.closeWith(() => removeFolder(folder));
  const world = await openWorld(folder, live);
  ending.closeWith(async () => world[Symbol.asyncDispose]());
  story.step("forge", `simulated Forgejo, with a small project on it: ${world.forge.url}`);
  story.step(
    "model",
    world.model === undefined
      ? `a real one: ${live?.baseUrl ?? ""}`
      : `script behind a Messages API: ${world.model.url}`,
  );
  const service = new Service(world, live !== undefined);
  opened.service = service;
  ending.closeWith(
    () => service.stop(),
    () => service.kill(),
  );
  service.onDeath((failure) => ending.fail(failure));
  const watch = new Watch(live === undefined ? stageMs.scripted : stageMs.live, ending.signal);
  const stage = { world, api: service.api, story, watch };
  await service.up(world.url, watch);
  await tellService(stage, service.pid);
  return { outcome: await play(stage), stateDir: world.stateDir };
}

const inWords = (error: unknown): string => {
  if (error instanceof DemoFailure || error instanceof ClientError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
};

function whereToLook({ failure, log, folder }: Result & { kind: "failed" }, exits: boolean): string[] {
  const unsaid = log.some((line) => !failure.includes(line));
  const logLines = unsaid ? ["", "The service's log ends with:", ...log.map((line) => `  ${line}`)] : [];
  if (folder === undefined) return logLines;
  const state = exits ? `was in ${folder}, and goes now: without --exit it stays until Ctrl-C` : `is in ${folder}`;
  return [...logLines, "", `Its state, with the configuration, ${state}.`];
}

function asData(result: Exclude<Result, { kind: "interrupted" }>, { steps }: Story): object {
  if (result.kind === "played") return { ...result.outcome, steps };
  return { ok: false, failure: result.failure, service_log: result.log, steps };
}

async function stayUp(story: Story, ending: Ending, result: Result): Promise<void> {
  story.plain("\nEverything stays up until Ctrl-C.");
  if (result.kind === "played") {
    const cli = relative(process.cwd(), resolve(import.meta.dirname, "../main.ts"));
    story.plain("To look around, from another terminal:");
    story.command(`bun ${cli} --state ${result.stateDir} runs ls`);
  }
  await ending.asked;
}
