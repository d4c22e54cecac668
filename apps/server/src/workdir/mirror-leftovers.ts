import { rm, stat } from "node:fs/promises";
import type { Log } from "../domain/log.ts";
import { carryOver } from "./carry-over.ts";
import type { Mirror, Mirrors } from "./mirror.ts";
import type { RunGit } from "./ports.ts";

export interface LeftoverDeps {
  git: RunGit;
  mirrors: Pick<Mirrors, "list">;
  log: Log;
  /** A run or a person works with this mirror mounted. */
  isInUse(mirror: Mirror): Promise<boolean>;
}

/**
 * Removes what interrupted work left among the mirrors: locks, half packs, mirrors that were never finished, and those that
 * were given up before this time. One that was given up goes only when everything that lanes had in it is elsewhere.
 */
export async function sweepMirrors(deps: LeftoverDeps, before: number, signal: AbortSignal): Promise<number> {
  let swept = 0;
  for (const { path, mirror } of await deps.mirrors.list()) {
    if (signal.aborted) return swept;
    if (path === mirror.path) swept += await mirror.removeLeftovers();
    if (path === `${mirror.path}.partial`) swept += await removed(mirror, path);
    if (path.startsWith(`${mirror.path}.broken`)) swept += await sweepBroken(deps, { path, mirror, before });
  }
  return swept;
}

/** In line with the making of mirrors: one that is under way keeps its turn until it has its name. */
async function removed(mirror: Mirror, path: string): Promise<number> {
  return await mirror.exclusively(async () => {
    const there = await stat(path).catch(() => null);
    await rm(path, { recursive: true, force: true });
    return there === null ? 0 : 1;
  });
}

async function sweepBroken(
  deps: LeftoverDeps,
  { path, mirror, before }: { path: string; mirror: Mirror; before: number },
): Promise<number> {
  // A renaming counts as a change.
  const { ctimeMs } = await stat(path);
  if (ctimeMs >= before || (await deps.isInUse(mirror))) return 0;
  const lost = await mirror.exclusively(() => carryOver(deps.git, path, mirror.path));
  if (lost.length > 0) {
    deps.log.warn(
      { path, refs: lost },
      "a broken mirror holds work of lanes that git cannot read; it stays: remove it by hand when nobody wants that",
    );
    return 0;
  }
  return await removed(mirror, path);
}
