import type { CommitInfo, Signature } from "../git/commits.ts";
import type { RepoRecord, UserRecord } from "../state/records.ts";
import type { World } from "../world.ts";
import { apiUrl, htmlUrl } from "./repo.ts";
import { toUser } from "./user.ts";

export type ApiCommit = ReturnType<typeof toCommit>;

function authorOf(world: World, { email }: Signature): UserRecord | undefined {
  const wanted = email.toLowerCase();
  const isTheirs = (user: UserRecord): boolean =>
    user.email.toLowerCase() === wanted || `${user.login.toLowerCase()}@noreply.localhost` === wanted;
  return world.store.users.values().find(isTheirs);
}

/** A commit as a push webhook and a branch carry it. */
export function toPayloadCommit(world: World, repo: RepoRecord, commit: CommitInfo) {
  const person = (who: Signature) => ({
    name: who.name,
    email: who.email,
    username: authorOf(world, who)?.login ?? "",
  });
  const paths = (status: string) => commit.files.filter((file) => file.status === status).map((file) => file.path);
  return {
    id: commit.sha,
    message: commit.message,
    url: `${htmlUrl(world, repo)}/commit/${commit.sha}`,
    author: person(commit.author),
    committer: person(commit.committer),
    verification: null,
    timestamp: commit.committer.date,
    added: paths("added"),
    removed: paths("deleted"),
    modified: paths("modified"),
  };
}

export function toCommit(world: World, repo: RepoRecord, commit: CommitInfo, doer?: UserRecord) {
  const git = `${apiUrl(world, repo)}/git/commits/`;
  const user = (who: Signature) => {
    const found = authorOf(world, who);
    return found ? toUser(world, found, doer) : null;
  };
  const additions = commit.files.reduce((sum, file) => sum + file.additions, 0);
  const deletions = commit.files.reduce((sum, file) => sum + file.deletions, 0);
  return {
    url: `${git}${commit.sha}`,
    sha: commit.sha,
    created: commit.committer.date,
    html_url: `${htmlUrl(world, repo)}/commit/${commit.sha}`,
    commit: {
      url: `${git}${commit.sha}`,
      author: commit.author,
      committer: commit.committer,
      message: commit.message,
      tree: {
        url: `${apiUrl(world, repo)}/git/trees/${commit.tree}`,
        sha: commit.tree,
        created: commit.committer.date,
      },
      verification: {
        verified: false,
        reason: "gpg.error.not_signed_commit",
        signature: "",
        signer: null,
        payload: "",
      },
    },
    author: user(commit.author),
    committer: user(commit.committer),
    parents: commit.parents.map((sha) => ({ url: `${git}${sha}`, sha, created: commit.committer.date })),
    files: commit.files.map((file) => ({ filename: file.path, status: fileStatus[file.status] })),
    stats: { total: additions + deletions, additions, deletions },
  };
}

const fileStatus = { added: "added", modified: "modified", deleted: "removed", renamed: "modified" } as const;
