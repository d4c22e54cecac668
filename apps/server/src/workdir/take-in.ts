import type { CommandBounds, CommandResult } from "../domain/process.ts";
import type { Mirror } from "./mirror.ts";

/** The mirror's objects lack nothing of the commit. */
export async function isConnected(mirror: Pick<Mirror, "git">, commit: string): Promise<boolean> {
  const result = await mirror.git(["rev-list", "--objects", "--quiet", commit, "--not", "--all"]);
  return result.end === "exited" && result.exitCode === 0;
}

/** Checks a pack of a lane's as strictly as git can and takes it into the mirror; no ref points at it yet. */
export function indexPack(
  mirror: Pick<Mirror, "git" | "exclusively">,
  pack: Uint8Array,
  maxPackBytes: number,
  bounds: CommandBounds,
): Promise<CommandResult> {
  const args = ["index-pack", "--stdin", "--fix-thin", "--strict", `--max-input-size=${maxPackBytes}`];
  return mirror.exclusively(() => mirror.git(args, { ...bounds, input: pack }));
}

/** Where the mirror keeps what a lane handed in; `refs/claude-hooks/<agent type>/<thread>`. */
export const laneRefs = (lane: string): string => `refs/claude-hooks/${lane.replaceAll(/[^A-Za-z0-9_-]+/g, "/")}`;
