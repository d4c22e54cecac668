import { chmod, chown, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ForgeId } from "../domain/ids.ts";
import { type CommandResult, describeFailure, outputText, succeeded } from "../domain/process.ts";
import { carryOver } from "./carry-over.ts";
import { isSha, type Remote, type RunGit } from "./ports.ts";

export type SyncResult =
  /** `notes` tell what had to be mended. */
  { kind: "synced"; notes: string[] } | { kind: "failed"; detail: string };

export interface MirrorSettings {
  /** Absolute; mirrors stand in it as `<forge>-<repository id>.git`. */
  folder: string;
  /** The lanes' group, which may read mirrors; null where the service is no root. */
  group: number | null;
  fetchTimeoutMs: number;
}

/** The service's bare mirrors, one object for each, so that work on one mirror is in line. */
export class Mirrors {
  readonly #git: RunGit;
  readonly #settings: MirrorSettings;
  readonly #open = new Map<string, Mirror>();

  constructor(git: RunGit, settings: MirrorSettings) {
    this.#git = git;
    this.#settings = settings;
  }

  /** By the forge's numeric id, since names change. */
  mirror(forge: ForgeId, repositoryId: number): Mirror {
    const name = forge.replaceAll(/[^A-Za-z0-9_-]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
    return this.#named(`${name}-${repositoryId}.git`);
  }

  /** What lies in the mirrors' folder: each name, and the mirror that it belongs to. */
  async list(): Promise<{ path: string; mirror: Mirror }[]> {
    const names = await readdir(this.#settings.folder).catch(() => []);
    return names.flatMap((name) => {
      const whose = /^.+-\d+\.git(?=$|\.)/.exec(name)?.[0];
      return whose === undefined ? [] : [{ path: join(this.#settings.folder, name), mirror: this.#named(whose) }];
    });
  }

  #named(name: string): Mirror {
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    const mirror = new Mirror(this.#git, join(this.#settings.folder, name), this.#settings);
    this.#open.set(name, mirror);
    return mirror;
  }
}

/**
 * A bare mirror of one repository: its branches as on the forge, and below refs/claude-hooks what lanes handed in.
 * Nothing in it is ever pruned or collected, since the lanes' checkouts borrow its objects.
 */
export class Mirror {
  readonly path: string;
  readonly #git: RunGit;
  readonly #settings: MirrorSettings;
  #line: Promise<unknown> = Promise.resolve();

  constructor(git: RunGit, path: string, settings: MirrorSettings) {
    this.#git = git;
    this.path = path;
    this.#settings = settings;
  }

  exists(): Promise<boolean> {
    return isThere(this.path);
  }

  /** Git on this mirror. */
  git(args: readonly string[], options?: Parameters<RunGit>[1]): Promise<CommandResult> {
    return this.#git([`--git-dir=${this.path}`, ...args], options);
  }

  /** One after the other with everything else that changes this mirror. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#line.then(work, work);
    this.#line = turn.catch(() => undefined);
    return turn;
  }

  /** Brings in all branches, and `refs` (as `refs/pull/7/head`) beside them; makes the mirror if it is missing or broken. */
  sync(remote: Remote, refs: readonly string[] = []): Promise<SyncResult> {
    return this.exclusively(() => this.#sync(remote, refs));
  }

  /** The commit of a branch as of the last sync. */
  async head(branch: string): Promise<string | null> {
    const result = await this.git([
      "rev-parse",
      "--verify",
      "--quiet",
      "--end-of-options",
      `refs/heads/${branch}^{commit}`,
    ]);
    const sha = outputText(result).trim();
    return succeeded(result) && isSha(sha) ? sha : null;
  }

  async #sync(remote: Remote, refs: readonly string[]): Promise<SyncResult> {
    if (!(await this.exists())) return this.#make(remote, refs, null);
    const first = await this.#fetch(this.path, remote, refs);
    if (succeeded(first)) return { kind: "synced", notes: [] };
    const answers = await this.#git(["ls-remote", "--heads", remote.url], { authorization: authorization(remote) });
    if (!succeeded(answers)) return { kind: "failed", detail: `${remote.url}: ${describeFailure(answers)}` };
    // The forge answers, so the fault may lie here: a git that was killed leaves its locks, a full disk leaves half files.
    const unlocked = await this.#removeLocks();
    if (unlocked > 0 && succeeded(await this.#fetch(this.path, remote, refs)))
      return { kind: "synced", notes: [`${unlocked} lock files of an interrupted git were removed from the mirror`] };
    return this.#make(remote, refs, describeFailure(first, 300));
  }

  /** Aside first: a mirror that stands under its name is whole, and a broken one goes only when a better one is there. `fault` tells what is wrong with the one that is there; null where there is none. */
  async #make(remote: Remote, refs: readonly string[], fault: string | null): Promise<SyncResult> {
    const partial = `${this.path}.partial`;
    await this.#ownFolder(this.#settings.folder, 0o710);
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial);
    await this.#ownFolder(partial, 0o2750);
    const shared = this.#settings.group === null ? [] : ["--shared=0640"];
    const steps = [
      () => this.#git(["init", "--quiet", "--bare", "--initial-branch=none", ...shared, partial]),
      () => this.#git([`--git-dir=${partial}`, "config", "core.repositoryFormatVersion", "1"]),
      () => this.#git([`--git-dir=${partial}`, "config", "extensions.preciousObjects", "true"]),
      () => this.#git([`--git-dir=${partial}`, "config", "gc.auto", "0"]),
      () => this.#fetch(partial, remote, refs),
    ];
    for (const step of steps) {
      const result = await step();
      if (!succeeded(result)) return { kind: "failed", detail: `${remote.url}: ${describeFailure(result)}` };
    }
    if (fault === null) {
      await rename(partial, this.path);
      return { kind: "synced", notes: [] };
    }
    const lost = await carryOver(this.#git, this.path, partial);
    // Not removed: a jail that runs may still have it mounted, and the sweeper looks at it again.
    const broken = await freeName(`${this.path}.broken`);
    await rename(this.path, broken);
    await rename(partial, this.path);
    const told =
      lost.length === 0 ? [] : [`what lanes had in it could not be carried over whole; it stays as ${broken}`];
    return { kind: "synced", notes: [`the mirror was broken and was made anew (${fault})`, ...told] };
  }

  #fetch(path: string, remote: Remote, refs: readonly string[]): Promise<CommandResult> {
    const wanted = ["heads/*", ...refs.map((ref) => ref.replace(/^refs\//, ""))];
    return this.#git(
      [
        `--git-dir=${path}`,
        "fetch",
        "--quiet",
        "--prune",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-auto-maintenance",
        "--no-recurse-submodules",
        "--end-of-options",
        remote.url,
        ...wanted.map((ref) => `+refs/${ref}:refs/${ref}`),
      ],
      { authorization: authorization(remote), timeoutMs: this.#settings.fetchTimeoutMs },
    );
  }

  /** Locks and half packs that a killed git left; answers how many. */
  async removeLeftovers(): Promise<number> {
    return await this.exclusively(async () => {
      const packs = await readdir(join(this.path, "objects", "pack")).catch(() => []);
      const half = packs.filter((name) => name.startsWith("tmp_"));
      for (const name of half) await rm(join(this.path, "objects", "pack", name), { force: true });
      return half.length + (await this.#removeLocks());
    });
  }

  /** Safe since nobody else works on the mirror: one server owns the state folder, and this object's turns are in line. */
  async #removeLocks(): Promise<number> {
    const top = await readdir(this.path).catch(() => []);
    const below = await readdir(join(this.path, "refs"), { recursive: true }).catch(() => []);
    const locks = [...top, ...below.map((name) => join("refs", name))].filter((name) => name.endsWith(".lock"));
    for (const lock of locks) await rm(join(this.path, lock), { force: true });
    return locks.length;
  }

  async #ownFolder(folder: string, mode: number): Promise<void> {
    await mkdir(folder, { recursive: true });
    const { group } = this.#settings;
    if (group !== null) await chown(folder, 0, group);
    await chmod(folder, group === null ? 0o700 : mode);
  }
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

async function freeName(wanted: string): Promise<string> {
  for (let more = 0; ; more++) {
    const name = more === 0 ? wanted : `${wanted}-${more}`;
    if (!(await isThere(name))) return name;
  }
}

export const authorization = ({ url, header }: Remote): { url: string; header: string } => ({ url, header });
