import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AccessName, type Forge, startForge } from "@claude-hooks/forge-sim";
import { type Model, type Script, startModel } from "@claude-hooks/model-sim";
import { ServiceProcess } from "./service-process.ts";

export const repository = "acme/widgets";
/** Unlike anything else, so that a search for them finds no chance hit. */
export const secrets = {
  hook: "canary-hook-5b1f2c",
  service: "",
  agent: "",
  model: "canary-model-key-9d3e7a",
};

export interface WorldOptions {
  script: Script;
  /** Of the repository's first commit. */
  files?: Record<string, string>;
  /** Beside alice (owner), claude-hooks (admin) and dev-bot (write). */
  collaborators?: Record<string, AccessName>;
  users?: string[];
  /** Merged over the configuration's top level. */
  config?: Record<string, unknown>;
  agent?: Record<string, unknown>;
  repository?: Record<string, unknown>;
  /** The key that the service holds, where it is not the one that the model takes. */
  modelKey?: string;
  /** Runs the service as this user, where the tests run as root. */
  uid?: number;
  /** What runs the service, where it is not this clone's. */
  program?: readonly string[];
  /** Of the service's process, beside PATH and a HOME that is not there. */
  env?: Readonly<Record<string, string>>;
}

/** A forge, a model and a configured service that is not started yet; all of it in a folder of its own. */
export interface World extends AsyncDisposable {
  forge: Forge;
  model: Model;
  folder: string;
  stateDir: string;
  url: string;
  hookUrl: string;
  secrets: typeof secrets;
  /** Starts the service as a process of its own, as in earnest, and waits until it answers. */
  start(): Promise<ServiceProcess>;
}

export async function openWorld(options: WorldOptions): Promise<World> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "claude-hooks-e2e-"));
  opened.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
  await chmod(folder, 0o711);
  const forge = opened.use(await openForge(folder, options));
  const model = opened.use(await startModel({ script: options.script, apiKey: secrets.model }));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const hookUrl = `${url}/webhooks/main/widgets`;
  await forge.as("alice").createHook({
    owner: "acme",
    repo: "widgets",
    url: hookUrl,
    secret: secrets.hook,
    events: [
      "issues",
      "issue_comment",
      "pull_request",
      "pull_request_comment",
      "pull_request_review",
      "push",
      "create",
      "delete",
    ],
  });
  const scopes = ["write:repository", "write:issue", "read:user"] as const;
  const tokens = {
    ...secrets,
    service: forge.createToken("claude-hooks", { scopes }),
    agent: forge.createToken("dev-bot", { scopes }),
    model: options.modelKey ?? secrets.model,
  };
  const stateDir = join(folder, "state");
  const configFile = join(folder, "agents.json");
  await writeSecrets(join(folder, "secrets"), tokens);
  await writeFile(configFile, JSON.stringify(configFor(options, { forge, stateDir, port, modelUrl: model.url })));
  await mkdir(stateDir);
  if (options.uid !== undefined) await giveAway(folder, options.uid);
  const services = opened.use(new AsyncDisposableStack());
  const rest = opened.move();
  return {
    forge,
    model,
    folder,
    stateDir,
    url,
    hookUrl,
    secrets: tokens,
    async start() {
      const { uid = null, program, env } = options;
      return services.use(await ServiceProcess.start({ configFile, stateDir, url, uid, program, env }));
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

function openForge(folder: string, { files, collaborators, users }: WorldOptions): Promise<Forge> {
  return startForge({
    dir: join(folder, "forge"),
    users: ["alice", "claude-hooks", "dev-bot", ...(users ?? [])],
    repos: [
      {
        owner: "acme",
        name: "widgets",
        files: files ?? { "README.md": "# Widgets\n" },
        collaborators: { alice: "admin", "claude-hooks": "admin", "dev-bot": "write", ...collaborators },
      },
    ],
  });
}

async function writeSecrets(folder: string, tokens: Record<string, string>): Promise<void> {
  await mkdir(folder, { mode: 0o700 });
  for (const [name, value] of Object.entries(tokens)) await writeFile(join(folder, name), value, { mode: 0o600 });
}

/** What the service's own user must own; the forge stays the tests'. */
async function giveAway(folder: string, uid: number): Promise<void> {
  const paths = ["agents.json", "secrets", "state"].map((name) => join(folder, name));
  const chown = Bun.spawn(["chown", "-R", `${uid}:${uid}`, ...paths], { stdio: ["ignore", "ignore", "inherit"] });
  if ((await chown.exited) !== 0) throw new Error(`chown of ${folder} failed`);
}

interface ConfigParts {
  forge: Forge;
  stateDir: string;
  port: number;
  modelUrl: string;
}

function configFor(options: WorldOptions, { forge, stateDir, port, modelUrl }: ConfigParts): object {
  return {
    state_dir: stateDir,
    listen: { host: "127.0.0.1", port },
    forges: {
      main: {
        kind: "forgejo",
        url: forge.url,
        service_user: { login: "claude-hooks", token: { file: "secrets/service" } },
      },
    },
    repositories: [
      {
        forge: "main",
        id: forge.repositoryId(repository),
        hook_id: "widgets",
        hook_secret: { file: "secrets/hook" },
        ...options.repository,
      },
    ],
    agents: {
      dev: {
        users: { main: { login: "dev-bot", token: { file: "secrets/agent" } } },
        git: { name: "dev-bot", email: "dev-bot@noreply.localhost" },
        model: "claude-sonnet-5",
        ...options.agent,
      },
    },
    model: { base_url: modelUrl, api_key: { file: "secrets/model" } },
    limits: { shutdown_grace_ms: 2_000, gather_ms: 50, gather_max_ms: 200 },
    ...options.config,
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
