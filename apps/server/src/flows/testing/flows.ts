import { readdir } from "node:fs/promises";
import { formatFault } from "../../domain/fault.ts";
import type { Flow } from "../flow.ts";
import { type FlowText, loadFlows } from "../load.ts";

const shipped = `${import.meta.dir}/../../../../../flows/defaults`;

export const shippedFlows: readonly FlowText[] = await Promise.all(
  (await readdir(shipped)).map(async (file) => ({ file, text: await Bun.file(`${shipped}/${file}`).text() })),
);

export const names = { agents: ["dev", "reviewer"], skills: ["implement", "follow-up"] };

export const load = (...custom: FlowText[]) => loadFlows({ defaults: [], custom, ...names });

export function faultsOf(text: string): string[] {
  const loaded = load({ file: "try.yaml", text });
  return loaded.kind === "loaded" ? [] : loaded.faults.map(formatFault);
}

/** One step that does its work for any event of an issue. */
export const steps = "steps: [{ uses: dispatch, with: { agent: dev, skill: implement } }]";
export const withIf = (condition: string, on = "issue.assigned"): string =>
  `name: Try\non: ${on}\nif: ${condition}\n${steps}`;
export const withDispatch = (settings: string): string =>
  `name: Try\non: issue.assigned\nsteps:\n  - uses: dispatch\n    with: ${settings}`;

/** The flows of these texts, or the shipped ones; throws with the faults. */
export function flowsOf(...texts: string[]): readonly Flow[] {
  const custom = texts.map((text, at) => ({ file: `${at}.yaml`, text }));
  const loaded = loadFlows({ defaults: custom.length > 0 ? [] : shippedFlows, custom, ...names });
  if (loaded.kind === "refused") throw new Error(loaded.faults.map(formatFault).join("\n"));
  return loaded.flows;
}

/** One flow that dispatches. */
export const flow = (on: string, condition = "true", agent = "dev"): readonly Flow[] =>
  flowsOf(
    `name: Try\non: ${on}\nif: ${condition}\nsteps: [{ uses: dispatch, with: { agent: "${agent}", skill: implement } }]`,
  );
