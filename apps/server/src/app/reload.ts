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
function applicable({ sessionMaxAgeMs, retentionMs, agents }: Config): Record<string, unknown> {
  const own = Object.entries(agents).map(([name, agent]) => [
    `agents.${name}.session_max_age_ms`,
    agent.sessionMaxAgeMs,
  ]);
  return { session_max_age_ms: sessionMaxAgeMs, retention_days: retentionMs / 86_400_000, ...Object.fromEntries(own) };
}

function rest({ sessionMaxAgeMs: _, retentionMs: __, agents, ...others }: Config): Record<string, unknown> {
  const own = Object.entries(agents).map(([name, { sessionMaxAgeMs: ___, ...agent }]) => [`agents.${name}`, agent]);
  return { ...others, ...Object.fromEntries(own) };
}

function differences(before: Record<string, unknown>, after: Record<string, unknown>): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => !Bun.deepEquals(before[key], after[key]));
}
