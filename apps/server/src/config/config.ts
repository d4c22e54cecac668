import type { AgentType } from "../domain/agent.ts";
import type { ForgeId } from "../domain/ids.ts";

/** A forge's user with its token. The token is a secret: it goes to the forge's client and nowhere else. */
export interface ForgeUser {
  login: string;
  token: string;
}

export interface ForgeConfig {
  id: ForgeId;
  kind: "forgejo";
  url: string;
  serviceUser: ForgeUser;
}

export interface RepositoryConfig {
  forge: ForgeId;
  id: number;
  hookId: string;
  hookSecret: string;
  /** Where people set the hook's secret, for error messages: never the secret. */
  hookSecretSource: string;
  baseBranch: string | null;
  setup: string | null;
  testCommand: string | null;
}

export interface AgentConfig {
  type: AgentType;
  users: Readonly<Record<string, ForgeUser>>;
  maxTurns: number | null;
  sessionMaxAgeMs: number;
}

/** Everything that the service was told, checked, with the secrets read. */
export interface Config {
  stateDir: string;
  flowsDir: string;
  skillsDir: string;
  listen: { host: string; port: number; metrics: boolean };
  /** `sqlite:<path>` or `postgres://…`; may hold a password. */
  databaseUrl: string;
  forges: Readonly<Record<string, ForgeConfig>>;
  repositories: readonly RepositoryConfig[];
  agents: Readonly<Record<string, AgentConfig>>;
  model: { baseUrl: string; credential: { kind: "api-key" | "oauth"; value: string } };
  sessionMaxAgeMs: number;
  /** How long what is over, or was set aside, stays. */
  retentionMs: number;
  limits: {
    concurrentRuns: number;
    runAttempts: number;
    setupTimeoutMs: number;
    gatherMs: number;
    gatherMaxMs: number;
    shutdownGraceMs: number;
    queuedDeliveries: number;
  };
  jail: {
    processes: number;
    fileSizeBytes: number;
    cpuSeconds: number;
    openFiles: number;
    tmpBytes: number;
    firstUid: number;
    tools: readonly { from: string; to: string }[];
  };
}

/** Every fault of a configuration at once, each with the path of its key. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly faults: readonly string[];

  constructor(file: string, faults: readonly string[]) {
    super(
      `${file} has ${faults.length === 1 ? "a fault" : `${faults.length} faults`}:\n${faults.map((fault) => `  ${fault}`).join("\n")}`,
    );
    this.faults = faults;
  }
}
