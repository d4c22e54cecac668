import type { AccessMode, HookRecord, RepoRecord, StatusRecord } from "../state/records.ts";
import type { World } from "../world.ts";
import { apiUrl, toRepo } from "./repo.ts";
import { time } from "./time.ts";
import { toUser } from "./user.ts";

export type ApiHook = ReturnType<typeof toHook>;
export type ApiStatus = ReturnType<typeof toStatus>;
export type ApiCombinedStatus = ReturnType<typeof toCombinedStatus>;

/** The secret is never told. */
export function toHook(hook: HookRecord) {
  return {
    id: hook.id,
    type: hook.type,
    branch_filter: hook.branchFilter,
    url: hook.url,
    config: { content_type: hook.contentType, url: hook.url },
    events: [...hook.events],
    authorization_header: hook.authorizationHeader,
    content_type: hook.contentType,
    metadata: null,
    active: hook.active,
    updated_at: time(hook.updatedAt),
    created_at: time(hook.createdAt),
  };
}

export function toStatus(world: World, repo: RepoRecord, status: StatusRecord) {
  return {
    id: status.id,
    status: status.state,
    target_url: status.targetUrl,
    description: status.description,
    url: `${apiUrl(world, repo)}/statuses/${status.sha}`,
    context: status.context,
    creator: toUser(world, world.store.userById(status.creatorId)),
    created_at: time(status.createdAt),
    updated_at: time(status.createdAt),
  };
}

const worstFirst = ["error", "failure", "warning", "pending", "success"] as const;

/** The newest of each context, and the worst of them; Forgejo's answer without any status is empty, `state` and all. */
export function toCombinedStatus(world: World, repo: RepoRecord, sha: string, mode: AccessMode) {
  const latest = latestStatuses(repo, sha);
  const states = new Set(latest.map(({ state }) => state));
  return {
    state: worstFirst.find((state) => states.has(state)) ?? "",
    sha: latest.length > 0 ? sha : "",
    total_count: latest.length,
    statuses: latest.length > 0 ? latest.map((status) => toStatus(world, repo, status)) : null,
    repository: latest.length > 0 ? toRepo(world, repo, mode) : null,
    commit_url: "",
    url: "",
  };
}

export function latestStatuses(repo: RepoRecord, sha: string): StatusRecord[] {
  const byContext = new Map(repo.statuses.filter((one) => one.sha === sha).map((one) => [one.context, one]));
  return [...byContext.values()];
}
