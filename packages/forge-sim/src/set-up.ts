import type { CommitRequest } from "./client.ts";
import { importCommit, readFolder } from "./git/import.ts";
import { branchRef, initBare, readRefs } from "./git/refs.ts";
import type { RepoOption } from "./options.ts";
import { noticeRefs } from "./pushes.ts";
import type { RepoRecord, UserRecord } from "./state/records.ts";
import type { Store } from "./state/store.ts";
import type { World } from "./world.ts";

/** Makes a repository with its first commit on `main`; nothing is told to anyone. */
export async function createRepo(store: Store, option: RepoOption): Promise<RepoRecord> {
  if (option.files && option.folder) throw new Error(`${option.owner}/${option.name}: either files or a folder`);
  const repo = store.addRepo(option);
  await initBare(repo.dir);
  const files = option.folder === undefined ? option.files : await readFolder(option.folder);
  if (files) {
    const author = authorOf(store.userById(repo.ownerId));
    const commit = { branch: "main", parent: undefined, files, message: "Initial commit", author, at: store.now() };
    await importCommit(repo.dir, commit);
    repo.refs = await readRefs(repo.dir);
  }
  return repo;
}

const authorOf = (user: UserRecord) => ({ name: user.fullName || user.login, email: user.email });

/** What a push of one commit by this user does; answers with its SHA. */
export async function pushCommit(world: World, user: UserRecord, request: CommitRequest): Promise<string> {
  const repo = world.store.requireRepo(`${request.owner}/${request.repo}`);
  const ref = branchRef(request.branch);
  return world.locked(repo.id, async () => {
    const parent = repo.refs.get(ref) ?? repo.refs.get(branchRef(request.from ?? repo.defaultBranch));
    const { branch, files, message } = request;
    await importCommit(repo.dir, { branch, parent, files, message, author: authorOf(user), at: world.store.now() });
    await noticeRefs(world, repo, user);
    const sha = repo.refs.get(ref);
    if (!sha) throw new Error(`${ref} is not there after the commit`);
    return sha;
  });
}

/** A lock per repository, taken in the order of asking. */
export function repoLocks(): World["locked"] {
  const tails = new Map<number, Promise<unknown>>();
  return async (repoId, work) => {
    const before = tails.get(repoId) ?? Promise.resolve();
    const mine = before.then(work, work);
    tails.set(repoId, mine);
    return mine;
  };
}
