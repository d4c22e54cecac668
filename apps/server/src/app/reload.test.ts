import { expect, test } from "bun:test";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, ConfigError } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { systemTimers } from "../infrastructure/clock.ts";
import { watchFile } from "../infrastructure/watch-file.ts";
import { Reload } from "./reload.ts";

const folder = join(import.meta.dirname, "../../../../config");
const env = { FORGE_SERVICE_TOKEN: "a", WIDGETS_HOOK_SECRET: "b", FORGE_DEV_TOKEN: "c", ANTHROPIC_API_KEY: "d" };
const example = (): Config => structuredClone(loadConfig(join(folder, "agents.example.json"), env));

function set() {
  const applied: Config[] = [];
  const logged: { level: string; fields: Record<string, unknown> }[] = [];
  const log = (level: string) => (fields: Record<string, unknown>) => void logged.push({ level, fields });
  let next: Config | ConfigError = example();
  const reload = new Reload(
    {
      log: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
      load() {
        if (next instanceof ConfigError) throw next;
        return structuredClone(next);
      },
      apply: (config) => void applied.push(config),
    },
    example(),
  );
  return { applied, logged, reload, read: (config: Config | ConfigError) => void (next = config) };
}

test("a change of ages counts at once, and says which", () => {
  const { applied, logged, reload, read } = set();
  const config = example();
  config.sessionMaxAgeMs = 1_000;
  config.agents["dev"]!.sessionMaxAgeMs = 2_000;
  config.retentionMs = 86_400_000;
  read(config);
  reload.run("SIGHUP");
  expect(applied).toHaveLength(1);
  expect(applied[0]?.agents["dev"]?.sessionMaxAgeMs).toBe(2_000);
  const keys = ["session_max_age_ms", "retention_days", "agents.dev.session_max_age_ms"];
  expect(logged).toEqual([{ level: "info", fields: { reason: "SIGHUP", applied: keys } }]);
  reload.run("SIGHUP");
  expect(applied).toHaveLength(1);
});

test("a fault leaves the values of before, and is told loudly; mended, it counts", () => {
  const { applied, logged, reload, read } = set();
  read(new ConfigError("agents.json", ["session_max_age_ms: expected milliseconds"]));
  reload.run("the file changed");
  expect(applied).toEqual([]);
  expect(logged).toEqual([
    { level: "error", fields: { reason: "the file changed", faults: ["session_max_age_ms: expected milliseconds"] } },
  ]);
  const config = example();
  config.sessionMaxAgeMs = 5;
  read(config);
  reload.run("the file changed");
  expect(applied).toHaveLength(1);
});

test("what needs a restart is named", () => {
  const { logged, reload, read } = set();
  const config = example();
  config.listen.port = 1;
  (config.agents["dev"] as { maxTurns: number | null }).maxTurns = 3;
  read(config);
  reload.run("SIGHUP");
  expect(logged.at(-1)).toEqual({ level: "warn", fields: { keys: ["listen", "agents.dev"] } });
});

test("a file that is written or replaced calls back once things have settled", async () => {
  const own = mkdtempSync(join(tmpdir(), "watch-"));
  const path = join(own, "agents.json");
  writeFileSync(path, "1");
  let wake = Promise.withResolvers<void>();
  let calls = 0;
  const count = (): void => {
    calls += 1;
    wake.resolve();
  };
  const stop = watchFile(path, systemTimers, count, (error) => wake.reject(error));
  writeFileSync(path, "2");
  await wake.promise;
  wake = Promise.withResolvers();
  writeFileSync(join(own, "new"), "3");
  renameSync(join(own, "new"), path);
  await wake.promise;
  stop();
  expect(calls).toBe(2);
  rmSync(own, { recursive: true });
});
