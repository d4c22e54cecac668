import { atLeast } from "../state/access.ts";
import type { AccessMode, RepoRecord } from "../state/records.ts";
import type { World } from "../world.ts";
import { time, zeroTime } from "./time.ts";
import { toUser } from "./user.ts";

export type ApiRepository = ReturnType<typeof toRepo>;

export const apiUrl = (world: World, repo: RepoRecord): string =>
  `${world.url}/api/v1/repos/${repo.owner}/${repo.name}`;

export const htmlUrl = (world: World, repo: RepoRecord): string => `${world.url}/${repo.owner}/${repo.name}`;

/** `mode` is what the asker may do; it fills `permissions`. */
export function toRepo(world: World, repo: RepoRecord, mode: AccessMode) {
  const html = htmlUrl(world, repo);
  const ssh = `ssh://git@127.0.0.1:2222/${repo.owner}/${repo.name}`;
  return {
    id: repo.id,
    owner: toUser(world, world.store.userById(repo.ownerId)),
    name: repo.name,
    full_name: `${repo.owner}/${repo.name}`,
    description: repo.description,
    empty: repo.refs.size === 0,
    private: repo.private,
    fork: false,
    template: false,
    parent: null,
    mirror: false,
    size: 128,
    language: "",
    languages_url: `${apiUrl(world, repo)}/languages`,
    html_url: html,
    url: apiUrl(world, repo),
    link: "",
    ssh_url: `${ssh}.git`,
    clone_url: `${html}.git`,
    original_url: "",
    website: "",
    ...counts(repo),
    default_branch: repo.defaultBranch,
    archived: repo.archived,
    created_at: time(repo.createdAt),
    updated_at: time(repo.updatedAt),
    archived_at: "1970-01-01T00:00:00Z",
    permissions: { admin: atLeast(mode, "admin"), push: atLeast(mode, "write"), pull: atLeast(mode, "read") },
    ...units,
    wiki_branch: "main",
    wiki_ssh_url: `${ssh}.wiki.git`,
    wiki_clone_url: `${html}.wiki.git`,
    ...settings,
  };
}

function counts(repo: RepoRecord) {
  const open = [...repo.issues.values()].filter((issue) => issue.state === "open");
  return {
    stars_count: 0,
    forks_count: 0,
    watchers_count: 0,
    open_issues_count: open.filter((issue) => !issue.pull).length,
    open_pr_counter: open.filter((issue) => issue.pull).length,
    release_counter: 0,
  };
}

const units = {
  has_issues: true,
  internal_tracker: {
    enable_time_tracker: true,
    allow_only_contributors_to_track_time: true,
    enable_issue_dependencies: true,
  },
  has_wiki: true,
  has_wiki_contents: false,
};

const settings = {
  globally_editable_wiki: false,
  has_pull_requests: true,
  has_projects: true,
  has_releases: true,
  has_packages: true,
  has_actions: true,
  ignore_whitespace_conflicts: false,
  allow_merge_commits: true,
  allow_rebase: true,
  allow_rebase_explicit: true,
  allow_squash_merge: true,
  allow_fast_forward_only_merge: true,
  allow_rebase_update: true,
  default_delete_branch_after_merge: false,
  default_merge_style: "merge",
  default_allow_maintainer_edit: false,
  default_update_style: "merge",
  avatar_url: "",
  internal: false,
  mirror_interval: "",
  object_format_name: "sha1",
  mirror_updated: zeroTime,
  repo_transfer: null,
  topics: [],
};
