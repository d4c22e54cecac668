import type { CommandBounds, CommandResult } from "../domain/process.ts";
import { captureProcess, startProcess, wholeGroup } from "./process.ts";
import { proxyEnvironment } from "./proxy-environment.ts";

export interface GitOptions extends Partial<CommandBounds> {
  /** For requests below `url` only; it goes into this git process's environment and nowhere else. */
  authorization?: { url: string; header: string };
}

export type RunGit = (args: readonly string[], options?: GitOptions) => Promise<CommandResult>;

/** Faults that old, honest repositories have and that harm nobody; all other faults of objects are refused (git-fsck(1)). */
const harmlessFaults = [
  "zeroPaddedFilemode",
  "missingSpaceBeforeDate",
  "missingSpaceBeforeEmail",
  "badTimezone",
  "badDateOverflow",
  "missingEmail",
  "badEmail",
];

const fixedConfig: readonly [string, string][] = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.askPass", "/bin/false"],
  ["credential.helper", ""],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["transfer.fsckObjects", "true"],
  ["http.followRedirects", "false"],
  ["http.lowSpeedLimit", "100"],
  ["http.lowSpeedTime", "60"],
  ["protocol.allow", "never"],
  ["protocol.http.allow", "always"],
  ["protocol.https.allow", "always"],
  ...harmlessFaults.map((fault): [string, string] => [`fetch.fsck.${fault}`, "ignore"]),
];

/** Git for the service's own repositories: no configuration but ours, no hooks, no prompts, only http and https. */
export function createGit(settings: { allowFileUrls?: boolean } = {}): RunGit {
  const inherited = proxyEnvironment();
  const fileConfig: [string, string][] = settings.allowFileUrls === true ? [["protocol.file.allow", "always"]] : [];
  return (args, options = {}) => {
    const { authorization, ...bounds } = options;
    const header: [string, string][] =
      authorization === undefined
        ? []
        : [[`http.${new URL("/", authorization.url).href}.extraHeader`, `Authorization: ${authorization.header}`]];
    const child = startProcess(["git", ...args], {
      cwd: "/",
      env: {
        PATH: "/usr/local/bin:/usr/bin:/bin",
        LC_ALL: "C.UTF-8",
        HOME: "/nonexistent",
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_TERMINAL_PROMPT: "0",
        GIT_NO_LAZY_FETCH: "1",
        ...inherited,
        ...configEnvironment([...fixedConfig, ...fileConfig, ...header]),
      },
      group: true,
    });
    return captureProcess(wholeGroup(child), { timeoutMs: 60_000, maxOutputBytes: 16_777_216, ...bounds });
  };
}

function configEnvironment(config: readonly [string, string][]): Record<string, string> {
  return Object.fromEntries([
    ["GIT_CONFIG_COUNT", String(config.length)],
    ...config.flatMap(([key, value], index): [string, string][] => [
      [`GIT_CONFIG_KEY_${index}`, key],
      [`GIT_CONFIG_VALUE_${index}`, value],
    ]),
  ]);
}
