import { createHash } from "node:crypto";
import type { UserRecord } from "../state/records.ts";
import type { World } from "../world.ts";
import { time, zeroTime } from "./time.ts";

export type ApiUser = ReturnType<typeof toUser>;

/**
 * As Forgejo's `ToUser`: without a doer, as in most of a webhook, the e-mail address is a placeholder; the private
 * fields are filled for the user and for site administrators only.
 */
export function toUser(world: World, user: UserRecord, doer?: UserRecord) {
  const own = doer !== undefined && (doer.id === user.id || doer.admin);
  return {
    id: user.id,
    login: user.login,
    login_name: "",
    source_id: 0,
    full_name: user.fullName,
    email: doer ? user.email : `${user.login.toLowerCase()}@noreply.localhost`,
    avatar_url: `${world.url}/avatars/${createHash("sha256").update(user.email).digest("hex")}`,
    html_url: `${world.url}/${user.login}`,
    language: own ? "en-US" : "",
    is_admin: own && user.admin,
    last_login: own ? time(user.createdAt) : zeroTime,
    created: time(user.createdAt),
    restricted: false,
    active: own,
    prohibit_login: false,
    location: "",
    pronouns: "",
    website: "",
    description: "",
    visibility: "public",
    followers_count: 0,
    following_count: 0,
    starred_repos_count: 0,
    username: user.login,
  };
}
