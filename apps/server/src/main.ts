import { resolve } from "node:path";
import { createServiceLog } from "./app/log.ts";
import { Reload } from "./app/reload.ts";
import { startService } from "./app.ts";
import type { Config } from "./config/config.ts";
import { loadConfig } from "./config/load.ts";
import { systemTimers } from "./infrastructure/clock.ts";
import { watchFile } from "./infrastructure/watch-file.ts";

/** Runs the service until SIGTERM or SIGINT, and answers the exit code. What is wrong at start is said on stderr. */
export async function serve(configPath: string): Promise<number> {
  // What the service writes is for its own user; what lanes and sockets need beyond that is given by name.
  process.umask(0o077);
  const path = resolve(configPath);
  const stopped = Promise.withResolvers<NodeJS.Signals>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stopped.resolve(signal));
  let reload: Reload | null = null;
  process.on("SIGHUP", () => reload?.run("SIGHUP"));
  try {
    const config = loadConfig(path);
    const log = createServiceLog(config);
    const service = await startService(config, log);
    const apply = (next: Config): void => service.apply(next);
    reload = new Reload({ log, load: () => loadConfig(path), apply }, config);
    const stopWatching = watchFile(
      path,
      systemTimers,
      () => reload?.run("the file changed"),
      (error) => log.warn({ file: path, error }, "the configuration cannot be watched: after a change, send SIGHUP"),
    );
    const signal = await stopped.promise;
    log.info({ signal, graceMs: config.limits.shutdownGraceMs }, "stopping: running agents may finish");
    stopWatching();
    await service.stop();
    log.info({}, "stopped");
    return 0;
  } catch (error) {
    process.stderr.write(`claude-hooks: ${error instanceof Error ? describe(error) : String(error)}\n`);
    return 1;
  }
}

/** Errors that carry advice are shown as they are; anything else is a bug, and shown with its place. */
function describe(error: Error): string {
  return error.name === "Error" || error instanceof TypeError ? (error.stack ?? error.message) : error.message;
}

if (import.meta.main) process.exit(await serve(process.argv[2] ?? "config/agents.json"));
