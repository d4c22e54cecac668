import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { LabelOption, RepoOption, UserOption } from "../options.ts";
import type { CommentRecord, IssueRecord, LabelRecord, RepoRecord, TokenRecord, UserRecord } from "./records.ts";
import { checkScopes } from "./scopes.ts";

type Counter = "user" | "repo" | "issue" | "pull" | "comment" | "review" | "label" | "hook" | "status";

/** Everything but the git objects, in memory. Names are compared as Forgejo does, without case. */
export class Store {
  readonly users = new Map<number, UserRecord>();
  readonly repos = new Map<number, RepoRecord>();
  readonly tokens = new Map<string, TokenRecord>();
  readonly now: () => number;
  readonly #dir: string;
  readonly #last = new Map<Counter, number>();

  constructor(dir: string, now: () => number) {
    this.#dir = dir;
    this.now = () => Math.floor(now() / 1000) * 1000;
  }

  nextId(counter: Counter): number {
    const id = (this.#last.get(counter) ?? 0) + 1;
    this.#last.set(counter, id);
    return id;
  }

  addUser(option: UserOption, organization = false): UserRecord {
    checkName(option.login, "user");
    if (this.user(option.login)) throw new Error(`user ${option.login} is named twice`);
    const user: UserRecord = {
      id: this.nextId("user"),
      login: option.login,
      fullName: option.fullName ?? "",
      email: option.email ?? `${option.login}@example.com`,
      admin: option.admin ?? false,
      organization,
      createdAt: this.now(),
    };
    this.users.set(user.id, user);
    return user;
  }

  user(login: string): UserRecord | undefined {
    const wanted = login.toLowerCase();
    return this.users.values().find((user) => user.login.toLowerCase() === wanted);
  }

  requireUser(login: string): UserRecord {
    const user = this.user(login);
    if (!user) throw new Error(`no user ${login}: name them in the option "users"`);
    return user;
  }

  userById(id: number): UserRecord {
    const user = this.users.get(id);
    if (!user) throw new Error(`no user with id ${id}`);
    return user;
  }

  addRepo(option: RepoOption): RepoRecord {
    checkName(option.name, "repository");
    if (this.repo(option.owner, option.name)) throw new Error(`${option.owner}/${option.name} is named twice`);
    const owner = this.user(option.owner) ?? this.addUser({ login: option.owner }, true);
    const repo: RepoRecord = {
      id: this.nextId("repo"),
      ownerId: owner.id,
      owner: owner.login,
      name: option.name,
      description: option.description ?? "",
      private: option.private ?? false,
      archived: option.archived ?? false,
      defaultBranch: "main",
      dir: join(this.#dir, owner.login.toLowerCase(), `${option.name.toLowerCase()}.git`),
      collaborators: new Map(),
      labels: new Map(),
      issues: new Map(),
      hooks: new Map(),
      statuses: [],
      refs: new Map(),
      createdAt: this.now(),
      updatedAt: this.now(),
    };
    for (const [login, access] of Object.entries(option.collaborators ?? {})) {
      repo.collaborators.set(this.requireUser(login).id, access);
    }
    for (const label of option.labels ?? []) this.addLabel(repo, label);
    this.repos.set(repo.id, repo);
    return repo;
  }

  repo(owner: string, name: string): RepoRecord | undefined {
    const wanted = `${owner}/${name}`.toLowerCase();
    return this.repos.values().find((repo) => `${repo.owner}/${repo.name}`.toLowerCase() === wanted);
  }

  /** `full` is `owner/name`. */
  requireRepo(full: string): RepoRecord {
    const [owner = "", name = ""] = full.split("/");
    const repo = this.repo(owner, name);
    if (!repo) throw new Error(`no repository ${full}: name it in the option "repos"`);
    return repo;
  }

  repoOf(issue: IssueRecord): RepoRecord {
    const repo = this.repos.get(issue.repoId);
    if (!repo) throw new Error(`no repository with id ${issue.repoId}`);
    return repo;
  }

  comment(repo: RepoRecord, id: number): CommentRecord | undefined {
    for (const issue of repo.issues.values()) {
      const comment = issue.comments.get(id);
      if (comment) return comment;
    }
    return undefined;
  }

  addLabel(repo: RepoRecord, option: LabelOption): LabelRecord {
    const label: LabelRecord = {
      id: this.nextId("label"),
      name: option.name,
      color: (option.color ?? "cccccc").replace(/^#/, "").toLowerCase(),
      description: option.description ?? "",
      exclusive: option.exclusive ?? false,
      archived: false,
    };
    repo.labels.set(label.id, label);
    return label;
  }

  addToken(login: string, scopes: readonly string[], repositories: readonly string[] | undefined): TokenRecord {
    checkScopes(scopes, repositories !== undefined);
    const token: TokenRecord = {
      value: randomBytes(20).toString("hex"),
      userId: this.requireUser(login).id,
      scopes: new Set(scopes),
      repositories: repositories && new Set(repositories.map((full) => this.requireRepo(full).id)),
    };
    this.tokens.set(token.value, token);
    return token;
  }
}

function checkName(name: string, what: string): void {
  if (/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name)) return;
  throw new Error(`${what} name ${JSON.stringify(name)}: letters, digits, ".", "_" and "-" only`);
}
