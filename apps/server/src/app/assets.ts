import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { readFolder, type TextFile } from "../config/files.ts";
import { formatFault } from "../domain/fault.ts";
import type { Flow } from "../flows/flow.ts";
import { loadFlows } from "../flows/load.ts";
import type { Skill } from "../sessions/prompt.ts";
import { loadSkills } from "../sessions/skills.ts";

/** Flows or skills that cannot be used; every fault with its file, line and column. */
class AssetsError extends Error {
  override readonly name = "AssetsError";
}

const shipped = join(import.meta.dir, "../../../..");

export interface Assets {
  flows: readonly Flow[];
  skills: ReadonlyMap<string, Skill>;
}

interface AssetFolders {
  flowsDir: string;
  skillsDir: string;
}

/**
 * The shipped flows and skills, and the operator's own, which shadow them by file name.
 * @throws AssetsError with every fault at once.
 */
export function loadAssets({ flowsDir, skillsDir }: AssetFolders, agents: readonly string[]): Assets {
  const skills = loadSkills({
    defaults: readTexts(join(shipped, "skills"), "skills"),
    custom: readTexts(skillsDir, skillsDir),
  });
  if (skills.kind === "refused") throw new AssetsError(list("skills", skills.faults.map(formatFault)));
  const flows = loadFlows({
    defaults: readTexts(join(shipped, "flows/defaults"), "flows/defaults"),
    custom: readTexts(flowsDir, flowsDir),
    agents,
    skills: [...skills.skills.keys()],
  });
  if (flows.kind === "refused") throw new AssetsError(list("flows", flows.faults.map(formatFault)));
  return { flows: flows.flows, skills: skills.skills };
}

/** `name` is the folder as faults show it. */
function readTexts(folder: string, name: string): TextFile[] {
  return readFolder(folder).map(({ file, text }) => ({ file: `${name}/${file}`, text }));
}

const list = (what: string, faults: readonly string[]): string =>
  `the ${what} cannot be used:\n${faults.map((fault) => `  ${fault}`).join("\n")}`;

/** The agent's native binary as the SDK's package for this machine brings it. */
export function agentBinary(): string {
  const require = createRequire(import.meta.url);
  const name = `@anthropic-ai/claude-agent-sdk-${process.platform}-${process.arch}`;
  for (const candidate of [name, `${name}-musl`]) {
    try {
      return join(dirname(require.resolve(`${candidate}/package.json`)), "claude");
    } catch {
      // Not this one: a machine has one of the two.
    }
  }
  throw new AssetsError(`the agent's binary is not installed: the package ${name} is missing; run \`bun install\``);
}
