import type { CommandBounds, CommandResult } from "../domain/process.ts";

/** Git on the service's own repositories, with a safe environment; never on a checkout. */
export type RunGit = (
  args: readonly string[],
  options?: Partial<CommandBounds> & { authorization?: { url: string; header: string } },
) => Promise<CommandResult>;

/** Runs in the jail of one lane, in its checkout, with the mirror read-only at /mirror.git. */
export interface JailedRunner {
  run(command: readonly string[], options: CommandBounds): Promise<CommandResult>;
  /** Takes the checkout out of the way, leaves an empty one, and answers where the old one is now. */
  setAside(stamp: string): Promise<string>;
}

/** A repository on the forge. `header` is a secret: it goes only into the environment of a git process. */
export interface Remote {
  url: string;
  /** As `Basic …`. */
  header: string;
}

export const isSha = (text: string): boolean => /^[0-9a-f]{40}$/.test(text);

/** What came out of a jail, fit for a log or a comment. */
export const sayable = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 300);
