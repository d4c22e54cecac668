import { type AccessMode, accessModes, type RepoRecord, type TokenRecord, type UserRecord } from "./records.ts";

export const atLeast = (mode: AccessMode, wanted: AccessMode): boolean =>
  accessModes.indexOf(mode) >= accessModes.indexOf(wanted);

const lower = (a: AccessMode, b: AccessMode): AccessMode => (atLeast(a, b) ? b : a);

/** What a user may do in a repository, whatever the token; no user: what anyone may. */
export function accessOf(user: UserRecord | undefined, repo: RepoRecord): AccessMode {
  if (user && (user.admin || user.id === repo.ownerId)) return "owner";
  const given = user && repo.collaborators.get(user.id);
  if (given) return given;
  return repo.private ? "none" : "read";
}

/** A token limited to repositories may read other public ones, and sees no other private one. */
export function accessWith(token: TokenRecord | undefined, user: UserRecord | undefined, repo: RepoRecord): AccessMode {
  const mode = accessOf(user, repo);
  if (!token?.repositories || token.repositories.has(repo.id)) return mode;
  return repo.private ? "none" : lower(mode, "read");
}
