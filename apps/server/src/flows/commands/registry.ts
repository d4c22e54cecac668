import type { Command } from "./command.ts";
import { reset } from "./reset.ts";
import { stop } from "./stop.ts";

/** Everything that people can write behind a slash. */
const commands = { stop, reset } satisfies Record<string, Command>;

export const commandNames: readonly string[] = Object.keys(commands);

export const commandOf = (name: string): Command | null =>
  Object.hasOwn(commands, name) ? commands[name as keyof typeof commands] : null;
