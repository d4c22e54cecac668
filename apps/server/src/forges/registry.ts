import type { ForgeFactory } from "./factory.ts";
import { forgejo } from "./forgejo/index.ts";

/** Every kind of forge that there is; a new one is a folder beside this file and a line here. */
export const forges = { forgejo } satisfies Record<string, ForgeFactory>;
