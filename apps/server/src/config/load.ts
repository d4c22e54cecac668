import { readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { z } from "zod";
import type { ForgeId } from "../domain/ids.ts";
import { type AgentConfig, type Config, ConfigError, type ForgeUser, type RepositoryConfig } from "./config.ts";
import { crossFaults } from "./cross-checks.ts";
import { ConfigFile, type SecretSource } from "./schema.ts";

/**
 * Reads and checks a configuration file and the secrets that it names.
 * @throws ConfigError with every fault at once.
 */
export function loadConfig(path: string, env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const file = basename(path);
  const parsed = ConfigFile.safeParse(readJson(path));
  if (!parsed.success) throw new ConfigError(file, parsed.error.issues.flatMap(faultLines));
  const faults = crossFaults(parsed.data);
  const secrets = secretReader(dirname(resolve(path)), env, faults);
  const config = toConfig(parsed.data, dirname(resolve(path)), secrets);
  if (faults.length > 0) throw new ConfigError(file, faults);
  return config;
}

function readJson(path: string): unknown {
  const file = basename(path);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError(file, [`cannot read ${path}: ${message(error)}; start from config/agents.example.json`]);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigError(file, [`not JSON: ${message(error)}`]);
  }
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function faultLines(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `${path === "" ? key : `${path}.${key}`}: unknown key`);
  }
  return [`${path === "" ? "(the file)" : path}: ${issue.message}`];
}

type SecretReader = (source: SecretSource, path: string) => string;

function secretReader(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
  faults: string[],
): SecretReader {
  return (source, path) => {
    const { value, fault } =
      "env" in source ? fromEnvironment(env, source.env) : fromFile(resolve(folder, source.file));
    if (fault !== null) faults.push(`${path}: ${fault}`);
    return value;
  };
}

interface SecretRead {
  value: string;
  fault: string | null;
}

function fromEnvironment(env: Readonly<Record<string, string | undefined>>, key: string): SecretRead {
  const value = env[key] ?? "";
  return { value, fault: value === "" ? `the environment variable ${key} is not set` : null };
}

function fromFile(path: string): SecretRead {
  try {
    const value = readFileSync(path, "utf8").trim();
    return { value, fault: value === "" ? `${path} is empty` : null };
  } catch (error) {
    return { value: "", fault: `cannot read the secret: ${message(error)}` };
  }
}

function toConfig(file: ConfigFile, folder: string, secret: SecretReader): Config {
  const stateDir = resolve(folder, file.state_dir);
  const user = (source: { login: string; token: SecretSource }, path: string): ForgeUser => ({
    login: source.login,
    token: secret(source.token, `${path}.token`),
  });
  const agent = ([name, source]: [string, ConfigFile["agents"][string]]): [string, AgentConfig] => {
    const users = mapRecord(source.users, (entry, forge) => user(entry, `agents.${name}.users.${forge}`));
    return [
      name,
      {
        type: {
          name,
          logins: mapRecord(source.users, (entry) => entry.login),
          gitName: source.git.name,
          gitEmail: source.git.email,
          branchPrefix: source.branch_prefix ?? name,
          model: source.model,
          tools: source.tools,
          deadlineMs: source.deadline_ms,
          stallMs: source.stall_ms,
        },
        users,
        maxTurns: source.max_turns ?? null,
        sessionMaxAgeMs: source.session_max_age_ms ?? file.session_max_age_ms,
      },
    ];
  };
  return {
    stateDir,
    flowsDir: resolve(folder, file.flows_dir),
    skillsDir: resolve(folder, file.skills_dir),
    listen: file.listen,
    databaseUrl: file.database === undefined ? `sqlite:${stateDir}/claude-hooks.db` : secret(file.database, "database"),
    forges: mapRecord(file.forges, (source, id) => ({
      id: id as ForgeId,
      kind: source.kind,
      url: source.url,
      serviceUser: user(source.service_user, `forges.${id}.service_user`),
    })),
    repositories: file.repositories.map((source, index) => toRepository(source, `repositories.${index}`, secret)),
    agents: Object.fromEntries(Object.entries(file.agents).map(agent)),
    model: toModel(file.model, secret),
    sessionMaxAgeMs: file.session_max_age_ms,
    retentionMs: file.retention_days * 24 * 60 * 60_000,
    limits: toLimits(file.limits),
    jail: toJail(file.jail),
  };
}

function toJail(jail: ConfigFile["jail"]): Config["jail"] {
  return {
    processes: jail.processes,
    fileSizeBytes: jail.file_size_bytes,
    cpuSeconds: jail.cpu_seconds,
    openFiles: jail.open_files,
    tmpBytes: jail.tmp_bytes,
    firstUid: jail.first_uid,
    tools: jail.tools,
  };
}

const toLimits = (limits: ConfigFile["limits"]): Config["limits"] => ({
  concurrentRuns: limits.concurrent_runs,
  runAttempts: limits.run_attempts,
  setupTimeoutMs: limits.setup_timeout_ms,
  gatherMs: limits.gather_ms,
  gatherMaxMs: limits.gather_max_ms,
  shutdownGraceMs: limits.shutdown_grace_ms,
  queuedDeliveries: limits.queued_deliveries,
});

function toRepository(
  source: ConfigFile["repositories"][number],
  path: string,
  secret: SecretReader,
): RepositoryConfig {
  return {
    forge: source.forge as ForgeId,
    id: source.id,
    hookId: source.hook_id,
    hookSecret: secret(source.hook_secret, `${path}.hook_secret`),
    hookSecretSource:
      "env" in source.hook_secret
        ? `the environment variable ${source.hook_secret.env}`
        : `the file ${source.hook_secret.file}`,
    baseBranch: source.base_branch ?? null,
    setup: source.setup ?? null,
    testCommand: source.test_command ?? null,
  };
}

function toModel(source: ConfigFile["model"], secret: SecretReader): Config["model"] {
  const credential =
    source.oauth_token === undefined
      ? { kind: "api-key" as const, value: source.api_key === undefined ? "" : secret(source.api_key, "model.api_key") }
      : { kind: "oauth" as const, value: secret(source.oauth_token, "model.oauth_token") };
  return { baseUrl: source.base_url, credential };
}

function mapRecord<From, To>(record: Record<string, From>, map: (value: From, key: string) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
