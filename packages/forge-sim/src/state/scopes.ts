const categories = [
  "activitypub",
  "admin",
  "misc",
  "notification",
  "organization",
  "package",
  "issue",
  "repository",
  "user",
] as const;
export type ScopeCategory = (typeof categories)[number];
export type ScopeLevel = "read" | "write";

/** A scope as Forgejo names it, such as `write:issue`; `all` is every one. */
export type Scope = `${ScopeLevel}:${ScopeCategory}` | "all";

const known = new Set<string>(["all", ...categories.flatMap((name) => [`read:${name}`, `write:${name}`])]);
const allowedWhenLimited = new Set(["read:issue", "write:issue", "read:repository", "write:repository"]);

export function checkScopes(scopes: readonly string[], limited: boolean): void {
  for (const scope of scopes) {
    if (!known.has(scope)) throw new Error(`unknown token scope ${JSON.stringify(scope)}`);
    if (limited && !allowedWhenLimited.has(scope)) {
      throw new Error(`scope ${scope}: a token limited to repositories may have issue and repository scopes only`);
    }
  }
}

/** Write includes read. */
export function hasScope(scopes: ReadonlySet<string>, level: ScopeLevel, category: ScopeCategory): boolean {
  if (scopes.has("all") || scopes.has(`write:${category}`)) return true;
  return level === "read" && scopes.has(`read:${category}`);
}
