import { lchownSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, relative } from "node:path";
import type { LaneKey } from "../domain/ids.ts";
import type { CommandBounds, CommandResult } from "../domain/process.ts";
import { jailArguments } from "./bwrap.ts";
import { inside } from "./inside.ts";
import { giveToLane, type Lane, type LaneFolder, LaneFolders, type LaneMounts } from "./lanes.ts";
import type { JailPorts } from "./ports.ts";
import { JailedProcess } from "./process.ts";
import { findPrograms, type Programs } from "./programs.ts";
import { judgeSelfTest, selfTestScript } from "./self-test.ts";
import { JailError, type JailSettings, type Mount } from "./settings.ts";

export interface JailedOptions {
  /** Inside; the checkout if left out. */
  cwd?: string;
  /** Added to PATH, HOME and the like, which cannot be changed. */
  env?: Readonly<Record<string, string>>;
  readOnly?: readonly Mount[];
  writable?: readonly Mount[];
}

/** What the Agent SDK asks of `spawnClaudeCodeProcess`. */
export interface AgentSpawnOptions {
  command: string;
  args: string[];
  cwd?: string | undefined;
  env: Record<string, string | undefined>;
  signal: AbortSignal;
}

/** What is enforced and how, for the log at start. */
export interface JailDescription {
  uidSeparation: boolean;
  reason: string;
  bwrap: string;
  init: string;
  agent: string;
  limits: JailSettings["limits"];
  tools: string[];
}

/** Runs commands as a lane's unprivileged user, without network, and with nothing of this machine but /usr, its tools and the lane's folders. */
export class Jail {
  readonly #settings: JailSettings;
  readonly #ports: JailPorts;
  readonly #programs: Programs;
  readonly #lanes: LaneFolders;
  readonly #isRoot: boolean;

  constructor(parts: {
    settings: JailSettings;
    ports: JailPorts;
    programs: Programs;
    lanes: LaneFolders;
    isRoot: boolean;
  }) {
    this.#settings = parts.settings;
    this.#ports = parts.ports;
    this.#programs = parts.programs;
    this.#lanes = parts.lanes;
    this.#isRoot = parts.isRoot;
  }

  describe(): JailDescription {
    const { base, count } = this.#settings.ids;
    const { bwrap, init, agent, tools } = this.#programs;
    return {
      uidSeparation: this.#isRoot,
      reason: this.#isRoot
        ? `started as root: every lane has a user id of its own, from ${base + 1} to ${base + count}`
        : `started as user id ${process.getuid?.() ?? 0}: agents run as this user, kept apart by namespaces alone`,
      bwrap,
      init,
      agent,
      limits: this.#settings.limits,
      tools: tools.map(({ from, to }) => `${from} as ${to}`),
    };
  }

  /** The group of all lanes, that a folder or socket for them needs; null where the service is no root. */
  get lanesGroup(): number | null {
    return this.#isRoot ? this.#settings.ids.base : null;
  }

  /** The lane's folders and ids, the same ones each time; what is mounted for it may differ from run to run. */
  openLane(key: LaneKey, mounts: LaneMounts = {}): Promise<Lane> {
    return this.#lanes.lane(key, mounts);
  }

  /** Takes the lane's checkout out of the way and answers its new path; `stamp` orders by time and is free of slashes. */
  setAside(lane: Lane, stamp: string): Promise<string> {
    return this.#lanes.setAside(lane, stamp);
  }

  /** The lanes that have a folder on this machine. */
  listLanes(): Promise<LaneFolder[]> {
    return this.#lanes.list();
  }

  removeCheckout(lane: LaneKey): Promise<void> {
    return this.#lanes.removeCheckout(lane);
  }

  /** A checkout that was set aside. */
  removeKept(lane: LaneKey, stamp: string): Promise<void> {
    return this.#lanes.removeKept(lane, stamp);
  }

  /** Its folder and its slot, which another lane may get. */
  removeLane(lane: LaneKey): Promise<void> {
    return this.#lanes.removeLane(lane);
  }

  /** What a killed service left of removals; answers how many. */
  clearRemovals(): Promise<number> {
    return this.#lanes.clearRemovals();
  }

  /** Starts a command; it ends with the service, at the latest. */
  spawn(lane: Lane, command: readonly string[], options: JailedOptions & { signal?: AbortSignal } = {}): JailedProcess {
    const argv = this.#arguments(lane, command, options, false);
    return new JailedProcess(this.#ports.start(argv, { cwd: "/", env: {} }), options.signal);
  }

  /**
   * The command line that runs a command in the lane's jail in a terminal. That terminal must be made for it alone, as
   * script(1) makes one: whatever runs inside can type into it.
   */
  terminalCommand(lane: Lane, command: readonly string[], env: Readonly<Record<string, string>>): string[] {
    return this.#arguments(lane, command, { env }, true);
  }

  #arguments(lane: Lane, command: readonly string[], options: JailedOptions, terminal: boolean): string[] {
    return jailArguments({
      programs: this.#programs,
      limits: this.#settings.limits,
      identity: lane.identity,
      etc: lane.etc,
      checkout: lane.checkout,
      home: lane.home,
      readOnly: [
        ...this.#settings.readOnly,
        ...(lane.sockets === null ? [] : [{ from: lane.sockets, to: inside.sockets }]),
        ...(lane.mirror === null ? [] : [{ from: lane.mirror, to: inside.mirror }]),
        ...(options.readOnly ?? []),
      ],
      writable: options.writable ?? [],
      cwd: options.cwd ?? inside.checkout,
      env: { ...options.env, ...fixedEnvironment(this.#programs) },
      command,
      terminal,
    });
  }

  /** Runs a command to its end, within bounds. */
  run(lane: Lane, command: readonly string[], options: JailedOptions & CommandBounds): Promise<CommandResult> {
    const { signal: _, ...unsignalled } = options;
    return this.#ports.capture(this.spawn(lane, command, unsignalled), options);
  }

  /** For the Agent SDK's `spawnClaudeCodeProcess`, with `pathToClaudeCodeExecutable: "/opt/claude"` and `cwd: "/repo"`. */
  spawnAgent(lane: Lane, options: AgentSpawnOptions): JailedProcess {
    if (options.command !== inside.agent)
      throw new JailError(
        "bad-request",
        `The agent's command is ${options.command}; it must be ${inside.agent}: set pathToClaudeCodeExecutable.`,
      );
    const env = Object.entries(options.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return this.spawn(lane, [options.command, ...options.args], {
      cwd: options.cwd ?? inside.checkout,
      env: Object.fromEntries(env),
      writable: this.#resumeFolder(lane, options.env["CLAUDE_CONFIG_DIR"]),
      signal: options.signal,
    });
  }

  /** On a resume the SDK lays the transcript out in a folder of its own, and names it as the agent's configuration folder. */
  #resumeFolder(lane: Lane, configDir: string | undefined): Mount[] {
    if (configDir === undefined || isBelow(inside.home, configDir)) return [];
    const { tmpDir } = this.#settings;
    const uuid = /^claude-resume-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
    if (dirname(configDir) !== tmpDir || !uuid.test(relative(tmpDir, configDir)))
      throw new JailError(
        "bad-request",
        `CLAUDE_CONFIG_DIR is ${configDir}; it must lie below ${inside.home}, or be a claude-resume folder in ${tmpDir}: set the service's TMPDIR to that.`,
      );
    giveToLane(lane, configDir, lchownSync);
    return [{ from: configDir, to: configDir }];
  }
}

const isBelow = (folder: string, path: string): boolean => {
  const way = relative(folder, path);
  return way !== "" && !way.startsWith("..");
};

function fixedEnvironment({ tools }: Programs): Record<string, string> {
  const toolFolders = tools.flatMap(({ to }) => [`${to}/bin`, dirname(to)]);
  const path = [...new Set([...toolFolders, "/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin"])];
  return {
    PATH: path.join(":"),
    HOME: inside.home,
    USER: "agent",
    LOGNAME: "agent",
    SHELL: "/bin/bash",
    LANG: "C.UTF-8",
    TMPDIR: "/tmp",
  };
}

/**
 * Checks that this machine has what a jail needs and that a jail really holds, before anything is run in it. There is no
 * weaker mode to fall back to: what is missing rejects with a {@link JailError} that says how to mend it.
 */
export async function openJail(settings: JailSettings, ports: JailPorts): Promise<Jail> {
  const isRoot = process.getuid?.() === 0;
  const lanes = await LaneFolders.open(settings, isRoot);
  const programs = await findPrograms(settings, ports, isRoot);
  const jail = new Jail({ settings, ports, programs, lanes, isRoot });
  const lane = await lanes.selfTestLane();
  const hidden = [settings.stateDir, settings.tmpDir, userInfo().homedir, "/root", "/var", "/etc/shadow"];
  const script = ["/bin/sh", "-c", selfTestScript, "self-test", ...hidden.filter((path) => !isOfTheJail(path))];
  const result = await jail.run(lane, script, { timeoutMs: 30_000, maxOutputBytes: 65_536 });
  await judgeSelfTest(result, { uid: lane.identity?.uid ?? process.getuid?.() ?? 0 });
  return jail;
}

/** Folders that a jail has of its own under the same name. */
const isOfTheJail = (path: string): boolean =>
  ["/", "/tmp", "/home", "/usr", "/run", "/opt", inside.home].includes(path);
