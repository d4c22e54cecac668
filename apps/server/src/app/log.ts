import type { Config } from "../config/config.ts";
import type { Log } from "../domain/log.ts";
import { createLogger } from "../infrastructure/logger.ts";
import { createRedactor, type Redact } from "../security/redact.ts";

/** Everything that must never leave: tokens, hooks' secrets, the model's credential, the database's address. */
function secretsOf(config: Config): string[] {
  return [
    ...Object.values(config.forges).map((forge) => forge.serviceUser.token),
    ...Object.values(config.agents).flatMap((agent) => Object.values(agent.users).map((user) => user.token)),
    ...config.repositories.map((repository) => repository.hookSecret),
    config.model.credential.value,
    ...(config.databaseUrl.startsWith("postgres") ? databaseSecrets(config.databaseUrl) : []),
  ];
}

function databaseSecrets(url: string): string[] {
  const { password } = URL.canParse(url) ? new URL(url) : { password: "" };
  return password === "" ? [url] : [password, decodeURIComponent(password)];
}

export const redactorFor = (config: Config): Redact => createRedactor(secretsOf(config));

/** JSON lines on stdout; a readable form where stdout is a terminal. */
export function createServiceLog(config: Config): Log {
  return createLogger({
    level: "info",
    format: process.stdout.isTTY ? "pretty" : "json",
    redact: redactorFor(config),
    write: (line) => void process.stdout.write(line),
  });
}
