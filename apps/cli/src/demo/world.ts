import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Forge, startForge } from "@claude-hooks/forge-sim";
import { type Model, startModel } from "@claude-hooks/model-sim";
import { cast } from "./cast.ts";
import { script } from "./script.ts";

/** The real model, for `--live`. */
export interface LiveModel {
  baseUrl: string;
}

/** What surrounds the service: a forge, a model, and a folder with its configuration. */
export interface World extends AsyncDisposable {
  forge: Forge;
  /** Undefined where the real one is used. */
  model: Model | undefined;
  folder: string;
  stateDir: string;
  configFile: string;
  /** Where the service will listen. */
  url: string;
}

const hookId = "recipes";
const forgeId = "demo";

/** A folder of the demo's own; users of jails pass through it, and may not look into it. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "claude-hooks-demo-"));
  await chmod(folder, 0o711);
  return folder;
}

const removalTries = 100;
const removalPauseMs = 100;

/**
 * A jail that was just killed may still write for a moment, on a busy machine for seconds; and a second Ctrl-C removes what the
 * first one is removing. So it is gone only when it is seen to be.
 */
export async function removeFolder(folder: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    const removed = await rm(folder, { recursive: true, force: true }).catch((error: unknown) => error);
    if (!existsSync(folder)) return;
    if (tries === removalTries) throw new Error(`${folder} cannot be removed`, { cause: removed });
    await Bun.sleep(removalPauseMs);
  }
}

/** Sets everything up but the service; the folder stays the caller's. */
export async function openWorld(folder: string, live: LiveModel | undefined): Promise<World> {
  await using opened = new AsyncDisposableStack();
  const forge = opened.use(await openForge(folder));
  const apiKey = secret();
  const model = live === undefined ? opened.use(await startModel({ script, apiKey })) : undefined;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const hookSecret = secret();
  await forge.as(cast.person).createHook({
    owner: cast.owner,
    repo: cast.repository,
    url: `${url}/webhooks/${forgeId}/${hookId}`,
    secret: hookSecret,
    events: ["issues", "issue_comment", "pull_request", "pull_request_comment", "pull_request_review", "push"],
  });
  const stateDir = join(folder, "state");
  const configFile = join(folder, "agents.json");
  const scopes = ["write:repository", "write:issue", "read:user"] as const;
  const secrets = {
    hook: hookSecret,
    service: forge.createToken(cast.service, { scopes }),
    agent: forge.createToken(cast.agent, { scopes }),
    model: apiKey,
  };
  await writeSecrets(join(folder, "secrets"), secrets);
  const config = configFor({ forge, stateDir, port, model: modelConfig(model, live) });
  await writeFile(configFile, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  const rest = opened.move();
  return { forge, model, folder, stateDir, configFile, url, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}

const secret = (): string => randomBytes(24).toString("hex");

function openForge(folder: string): Promise<Forge> {
  return startForge({
    dir: join(folder, "forge"),
    users: [cast.person, cast.service, cast.agent],
    repos: [
      {
        owner: cast.owner,
        name: cast.repository,
        description: "Turns the titles of recipes into the addresses of their pages",
        folder: join(import.meta.dirname, "fixtures", "project"),
        collaborators: { [cast.person]: "admin", [cast.service]: "admin", [cast.agent]: "write" },
      },
    ],
  });
}

async function writeSecrets(folder: string, secrets: Record<string, string>): Promise<void> {
  await mkdir(folder, { mode: 0o700 });
  for (const [name, value] of Object.entries(secrets)) await writeFile(join(folder, name), value, { mode: 0o600 });
}

function modelConfig(model: Model | undefined, live: LiveModel | undefined) {
  if (model !== undefined) return { base_url: model.url, api_key: { file: "secrets/model" } };
  return { base_url: live?.baseUrl, api_key: { env: "ANTHROPIC_API_KEY" } };
}

function configFor(parts: { forge: Forge; stateDir: string; port: number; model: object }) {
  const { forge, stateDir, port, model } = parts;
  return {
    state_dir: stateDir,
    listen: { host: "127.0.0.1", port },
    forges: {
      [forgeId]: {
        kind: "forgejo",
        url: forge.url,
        service_user: { login: cast.service, token: { file: "secrets/service" } },
      },
    },
    repositories: [
      {
        forge: forgeId,
        id: forge.repositoryId(cast.full),
        hook_id: hookId,
        hook_secret: { file: "secrets/hook" },
        test_command: "bun test",
      },
    ],
    agents: {
      dev: {
        users: { [forgeId]: { login: cast.agent, token: { file: "secrets/agent" } } },
        git: { name: cast.agent, email: `${cast.agent}@noreply.localhost` },
        model: "claude-sonnet-5",
      },
    },
    model,
    limits: { shutdown_grace_ms: 2_000, gather_ms: 1_000, gather_max_ms: 5_000 },
    // The file and not its folder, so that it works wherever Bun was installed, as below a closed home.
    jail: { tools: [{ from: process.execPath, to: "/opt/tools/bin/bun" }] },
  };
}

/** Taken by nobody a moment ago; the configuration names a port before the service listens on it. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}
