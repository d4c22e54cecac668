/** `bun run check [--report=<file>]`: every check, also after one that failed; exit code 1 if any did. */
import { appendFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { run } from "./lib/shell.ts";

const root = resolve(import.meta.dirname, "..");

const parts = [
  { name: "types", command: ["node_modules/typescript/bin/tsc", "--noEmit", "--pretty", "false"] },
  { name: "lint", command: ["node_modules/oxlint/bin/oxlint"] },
  { name: "format", command: ["node_modules/@biomejs/biome/bin/biome", "check"] },
  { name: "unused", command: ["node_modules/knip/bin/knip-bun.js", "--no-config-hints"] },
] as const;

const { values } = parseArgs({ options: { report: { type: "string" } } });

let failed = 0;
for (const { name, command } of parts) {
  const start = performance.now();
  const { code, output } = await run([process.execPath, ...command], { cwd: root });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const verdict = code === 0 ? "passed" : "failed";
  if (code !== 0) {
    failed += 1;
    console.log(output.trimEnd());
  }
  console.log(`${verdict}  ${name}  ${seconds} s`);
  if (values.report !== undefined) await appendFile(values.report, `${verdict} ${name} ${seconds}\n`);
}

console.log(failed === 0 ? "check: all passed" : `check: ${failed} of ${parts.length} failed`);
process.exitCode = failed === 0 ? 0 : 1;
