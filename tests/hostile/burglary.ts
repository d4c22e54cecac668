import { existsSync, readFileSync } from "node:fs";
import { chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Script, Step } from "@claude-hooks/model-sim";
import { assignIssue, says, sh, widgets } from "../e2e/play.ts";
import type { ServiceProcess } from "../e2e/service-process.ts";
import { openWorld, repository, type World, type WorldOptions } from "../e2e/world.ts";
import { everyPlace, type Place } from "./search.ts";
import { openTrap } from "./trap.ts";

const probe = readFileSync(join(import.meta.dir, "probe.sh"), "utf8");
const clone = resolve(import.meta.dir, "../..");
/** Name of every file that the agent tries to write. */
export const mark = `escaped-${crypto.randomUUID()}`;
export const canaries = {
  ssh: `canary-ssh-${crypto.randomUUID()}`,
  env: `canary-env-${crypto.randomUUID()}`,
  claude: `canary-claude-${crypto.randomUUID()}`,
};
/** Said by the agent on purpose, everywhere that it can. */
export const planted = `planted-${crypto.randomUUID()}`;

const probing: Step[] = [
  { tools: [sh("bash probe.sh $(cat arguments) > findings.txt 2>&1; cat findings.txt")] },
  {
    tools: [
      ...["/etc/shadow", "/proc/1/environ", join("/root", ".bashrc")].map((file_path) => ({
        name: "Read",
        input: { file_path },
      })),
      ...["/usr", "/etc", "/var/tmp", "/run/broker", "/mirror.git"].map((folder) => ({
        name: "Write",
        input: { file_path: `${folder}/${mark}`, content: "x" },
      })),
      sh(`echo ${planted} >> findings.txt; git add -A; git commit -q -m 'What I found: ${planted}'`),
    ],
  },
  says(`I looked around, ${planted}.`),
];
/** Keeps something that is known nowhere else in its checkout, its home and a process, and stays. */
const neighbour: Step[] = [
  {
    tools: [
      sh(
        "cat /proc/sys/kernel/random/uuid > neighbour; cp neighbour ~/neighbour; " +
          "SECRET=$(cat neighbour) setsid bash -c 'exec -a neighbour-process tail -f /dev/null' >/dev/null 2>&1 & echo kept",
      ),
    ],
  },
  says("I am done here.", { gate: "neighbour" }),
];
const script: Script = {
  name: "a burglar and a neighbour",
  agents: [
    { name: "neighbour", match: { prompt: "The neighbour" }, turns: [{ steps: neighbour }] },
    { name: "burglar", match: { system: "agent type: dev" }, turns: [{ steps: probing }, { steps: probing }] },
  ],
};

async function knock(at: { port: number } | { path: string }): Promise<void> {
  const socket = connect({ host: "127.0.0.1", ...at });
  await new Promise((closed) => socket.once("close", closed));
}

export interface Burglary {
  world: World;
  /** `findings.txt` after the first run and after the second, whose session is resumed. */
  findings: [first: string, resumed: string];
  /** What the neighbour keeps. */
  kept: string;
  /** Connections to the traps. */
  hits: number;
  /** Every file on this machine that the agent has written under its mark, in places where it may or may not. */
  written: string[];
  places: Place[];
}

export type Who = Pick<WorldOptions, "uid" | "program">;

/** A neighbour at work, and beside it an agent that tries everything, twice: in a fresh session and in a resumed one. */
export async function burgle(opened: AsyncDisposableStack, who: Who): Promise<Burglary> {
  const home = await openHome(opened, who.uid);
  const env = { HOME: home, CANARY: canaries.env };
  const files = { "README.md": "# Widgets\n", "probe.sh": probe };
  const world = opened.use(await openWorld({ ...who, script, env, files }));
  const name = `trap-${crypto.randomUUID()}`;
  const traps = [opened.use(await openTrap()), opened.use(await openTrap(name))] as const;
  const service = await world.start();
  const ports = [world.forge.url, world.model.url, world.url].map((url) => new URL(url).port);
  const told = [world.stateDir, world.folder, home, clone, mark, name, ...ports, traps[0].port].join(" ");
  await world.forge.as("alice").push({ ...widgets, branch: "main", message: "Say where", files: { arguments: told } });
  await assignIssue(world.forge, "The neighbour");
  await atWork(world, service, "neighbour");
  const kept = readFileSync(join(world.stateDir, "lanes/1/checkout/neighbour"), "utf8").trim();
  const number = await assignIssue(world.forge, "Look around");
  await service.finished(1);
  const first = await findingsOf(world, number);
  await world.forge.as("alice").comment({ ...widgets, number, body: "@dev-bot look again" });
  const [run] = (await service.finished(2)).slice(-1);
  if (run?.start?.includes("resumed") !== true) throw new Error(`not resumed: ${JSON.stringify(run)}`);
  const resumed = await findingsOf(world, number);
  const written = await filesNamed(mark, [world.folder, home, clone]);
  world.model.open("neighbour");
  await service.finished(3);
  await world.forge.settled();
  const hits = traps[0].hits() + traps[1].hits();
  await Promise.all([knock({ port: traps[0].port }), knock({ path: `\0${name}` })]);
  if (traps[0].hits() + traps[1].hits() !== hits + 2) throw new Error("the traps do not count");
  await fetch(`${world.url}/webhooks/main/${planted}`, { method: "POST", body: "{}" });
  return { world, findings: [first, resumed], kept, hits, written, places: await everyPlace(world, service) };
}

/** A home with a key in it, and with the login of a person who uses the same agent by hand. */
async function openHome(opened: AsyncDisposableStack, uid: number | undefined): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "claude-hooks-home-"));
  opened.defer(() => rm(home, { recursive: true }));
  const login = JSON.stringify({ apiKeyHelper: canaries.claude, claudeAiOauth: { accessToken: canaries.claude } });
  const files = {
    ".ssh/id_ed25519": canaries.ssh,
    ".claude/.credentials.json": login,
    ".claude/settings.json": login,
    ".claude.json": login,
  };
  for (const folder of [".ssh", ".claude"]) await mkdir(join(home, folder));
  for (const [name, text] of Object.entries(files)) await writeFile(join(home, name), text);
  const all = [".", ".ssh", ".claude", ...Object.keys(files)];
  for (const name of all) if (uid !== undefined) await chown(join(home, name), uid, uid);
  return home;
}

async function filesNamed(name: string, folders: string[]): Promise<string[]> {
  const system = ["/usr", "/etc", "/opt", "/var/tmp", "/run", "/srv"];
  const everywhere = [...folders, ...system.filter((path) => existsSync(path))];
  const deep = Bun.spawn([
    "find",
    ...everywhere,
    "-xdev",
    "-name",
    "node_modules",
    "-prune",
    "-o",
    "-name",
    name,
    "-print",
  ]);
  const shallow = Bun.spawn(["find", "/", "/var", tmpdir(), "-maxdepth", "1", "-name", name]);
  const found = await Promise.all([deep, shallow].map(({ stdout }) => new Response(stdout).text()));
  return found
    .join("")
    .split("\n")
    .filter((path) => path !== "")
    .toSorted();
}

/** Rejects where a run ends instead of coming to the gate. */
async function atWork({ model }: World, service: ServiceProcess, gate: string): Promise<void> {
  const ended = service.finished(1).then(([run]) => {
    throw new Error(`a run ended too early: ${JSON.stringify(run)}\n${service.log}`);
  });
  ended.catch(() => {});
  await Promise.race([model.waitAtGate(gate), ended]);
}

async function findingsOf({ forge, secrets }: World, number: number): Promise<string> {
  const headers = { Authorization: `token ${secrets.service}` };
  const url = `${forge.url}/api/v1/repos/${repository}/raw/findings.txt?ref=dev/${number}`;
  return await (await fetch(url, { headers })).text();
}

/** What the probe found out, without the rest that it printed, and with paths that are the same each time. */
export function findingsIn(text: string, { stateDir, folder }: Pick<World, "stateDir" | "folder">): string[] {
  const [, rest = ""] = text.split("== findings\n");
  return (rest.split("== sockets")[0] ?? "")
    .replaceAll(stateDir, "<state>")
    .replaceAll(folder, "<folder>")
    .replaceAll(/claude-resume-[0-9a-f-]{36}/g, "claude-resume-<uuid>")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
