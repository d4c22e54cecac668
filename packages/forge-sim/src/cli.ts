#!/usr/bin/env bun
import { parseArgs } from "node:util";
import { startForge } from "./index.ts";

const help = `forge-sim: a Forgejo to develop and show against, on loopback, with state in memory

  bun packages/forge-sim/src/cli.ts [--port 3000] [--dir DIR]

  --port   where to listen on 127.0.0.1; default 3000, 0 takes any free port
  --dir    where the bare repositories go, kept at the end; default a temporary folder`;

const demoFiles = {
  "README.md": "# widgets\n\nA small repository to try things on.\n",
  "src/name.ts": 'export const greet = (name: string): string => "Hello, " + name.trim() + "!";\n',
};

async function main(): Promise<number> {
  const options = {
    port: { type: "string", default: "3000" },
    dir: { type: "string" },
    help: { type: "boolean" },
  } as const;
  const { values } = parseArgs({ options });
  if (values.help) {
    console.log(help);
    return 0;
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`--port ${values.port}: expected a number from 0 to 65535`);
  }
  await using forge = await startForge({
    port,
    ...(values.dir === undefined ? {} : { dir: values.dir }),
    users: [{ login: "alice" }, { login: "bob" }, { login: "agent" }, { login: "root", admin: true }],
    repos: [
      {
        owner: "acme",
        name: "widgets",
        description: "A small repository to try things on",
        files: demoFiles,
        collaborators: { alice: "admin", bob: "read", agent: "write" },
        labels: [
          { name: "bug", color: "d73a4a" },
          { name: "agent/ready", color: "0e8a16", exclusive: true },
        ],
      },
    ],
  });
  console.log(
    `forge-sim listens on ${forge.url}\nrepository  ${forge.url}/acme/widgets.git\nfolder      ${forge.dir}\n`,
  );
  const tokens = { alice: "admin of acme/widgets", bob: "reads", agent: "writes", root: "site administrator" };
  for (const [login, role] of Object.entries(tokens)) {
    console.log(`${login.padEnd(8)}${forge.createToken(login, { scopes: ["all"] })}  ${role}`);
  }
  console.log("\nCtrl-C ends it.");
  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`forge-sim: ${error instanceof Error ? error.message : String(error)}\n\n${help}`);
  process.exitCode = 2;
}
