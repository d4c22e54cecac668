import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { type ModelOptions, type ModelRequest, parseScript, startModel } from "./index.ts";

const usage = "usage: bun packages/model-sim/src/cli.ts --script FILE.json [--port N] [--socket PATH] [--api-key KEY]";

async function main(): Promise<void> {
  await using model = await startModel({ ...(await readOptions()), onRequest: show });
  const port = model.port === undefined ? [] : [model.url];
  const places = [...port, ...(model.socket === undefined ? [] : [`unix:${model.socket}`])];
  console.log(`model-sim, a script and no model, listens on ${places.join(" and ")}`);
  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
}

function show({ number, kind, agent, turn, step, why }: ModelRequest): void {
  const place = agent === undefined ? "" : ` ${agent}, turn ${turn ?? "?"}, step ${step ?? "?"}`;
  console.log(`${number} ${kind}${place}${why === undefined ? "" : `: ${why}`}`);
}

async function readOptions(): Promise<ModelOptions> {
  const { values } = parseArgs({
    options: {
      script: { type: "string" },
      port: { type: "string" },
      socket: { type: "string" },
      "api-key": { type: "string" },
    },
  });
  if (values.script === undefined) throw new Error(`--script is missing\n${usage}`);
  const script = parseScript(parseJson(values.script, await readFile(values.script, "utf8")), values.script);
  return {
    script,
    ...(values.port !== undefined && { port: portOf(values.port) }),
    ...(values.socket !== undefined && { socket: values.socket }),
    ...(values["api-key"] !== undefined && { apiKey: values["api-key"] }),
  };
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path}: not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`--port ${text}: not a port (0 to 65535)`);
  return port;
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
