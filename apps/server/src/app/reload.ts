import { type Config, ConfigError } from "../config/config.ts";
import type { Log } from "../domain/log.ts";

export interface ReloadDeps {
  log: Log;
  /** @throws ConfigError */
  load(): Config;
  apply(config: Config): void;
}

/** The configuration as it is now: what can change while the service runs is applied, and the rest is told. */
export class Reload {
  readonly #deps: ReloadDeps;
  #current: Config;

  constructor(deps: ReloadDeps, current: Config) {
    this.#deps = deps;
    this.#current = current;
  }

  /** A configuration with a fault changes nothing, and says so. */
  run(reason: string): void {
    const { log } = this.#deps;
    let next: Config;
    try {
      next = this.#deps.load();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      log.error({ reason, faults: error.faults }, "the configuration has faults: the values of before stay in force");
      return;
    }
    if (Bun.deepEquals(next, this.#current)) return;
    const applied = differences(applicable(this.#current), applicable(next));
    const waiting = differences(rest(this.#current), rest(next));
    this.#deps.apply(next);
    this.#current = next;
    log.info({ reason, applied }, "the configuration was read again");
    if (waiting.length > 0) log.warn({ keys: waiting }, "these parts of the configuration need a restart to count");
  }
}

/** What changes without a restart, by the key that people know. */
function applicable({ sessionMaxAgeMs, retentionMs, agents }: Config): Map<string, unknown> {
  const own = Object.entries(agents).map(([name, agent]): [string, unknown] => [
    `agents.${name}.session_max_age_ms`,
    agent.sessionMaxAgeMs,
  ]);
  return new Map([["session_max_age_ms", sessionMaxAgeMs], ["retention_days", retentionMs / 86_400_000], ...own]);
}

function rest({ agents, ...others }: Config): Map<string, unknown> {
  const own = Object.entries(agents).map(([name, agent]): [string, unknown] => [
    `agents.${name}`,
    { ...agent, sessionMaxAgeMs: 0 },
  ]);
  return new Map([...Object.entries({ ...others, sessionMaxAgeMs: 0, retentionMs: 0 }), ...own]);
}

function differences(before: Map<string, unknown>, after: Map<string, unknown>): string[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].filter((key) => !Bun.deepEquals(before.get(key), after.get(key)));
}
