import type { Permission } from "./forge.ts";

/** How far the person behind an event is trusted: people with write access are listened to, of others the words are data. */
export type Tier = "maintainer" | "writer" | "outsider";

/** What could not be asked counts as none. */
export function tierOf(permission: Permission | null): Tier {
  if (permission === "admin") return "maintainer";
  return permission === "write" ? "writer" : "outsider";
}
