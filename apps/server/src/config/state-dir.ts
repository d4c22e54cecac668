import { readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { z } from "zod";
import { ConfigError } from "./config.ts";

/**
 * Where a configuration's service keeps its state, without reading its secrets: all that a client needs to find its socket.
 * @throws ConfigError where the file cannot be read or names no state_dir.
 */
export function readStateDir(path: string): string {
  const file = basename(path);
  try {
    const parsed = z.object({ state_dir: z.string().min(1) }).safeParse(JSON.parse(readFileSync(path, "utf8")));
    if (parsed.success) return resolve(dirname(resolve(path)), parsed.data.state_dir);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(file, [`cannot be read: ${why}; name the configuration with --config`]);
  }
  throw new ConfigError(file, ["state_dir: expected a folder"]);
}
