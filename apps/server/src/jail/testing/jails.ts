import { chmodSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { captureProcess, startProcess } from "../../infrastructure/process.ts";
import { type Jail, openJail } from "../jail.ts";
import type { JailPorts } from "../ports.ts";
import { defaultLimits, type JailSettings } from "../settings.ts";

export const isRoot = process.getuid?.() === 0;

export const ports: JailPorts = { start: startProcess, capture: captureProcess };

/** A folder that other users may enter, gone when its owner's scope ends. */
export function openFolder(): { path: string } & Disposable {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "jail-")));
  chmodSync(path, 0o755);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Bash stands for the agent, unless a test wants another. */
export function jailSettings(folder: string, changes: Partial<JailSettings> = {}): JailSettings {
  return {
    stateDir: join(folder, "state"),
    tmpDir: join(folder, "state", "tmp"),
    agentBinary: "/bin/bash",
    ids: { base: 200_000, count: 100 },
    limits: defaultLimits,
    tools: [],
    readOnly: [],
    ...changes,
  };
}

export const testJail = (folder: string, changes: Partial<JailSettings> = {}): Promise<Jail> =>
  openJail(jailSettings(folder, changes), ports);

/** Ids of this machine's processes whose command line holds the text. */
export function processesWith(text: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}
