import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apiApp } from "./api/app.ts";
import { Actor } from "./client.ts";
import { type ApiComment, type ApiIssue, toComment, toIssue } from "./convert/issue.ts";
import { type ApiPullRequest, toPull } from "./convert/pull.ts";
import { Faults } from "./faults.ts";
import { branchRef } from "./git/refs.ts";
import { MergeChecks } from "./merge-checks.ts";
import type { ForgeOptions, RepoOption, UserOption } from "./options.ts";
import { pagesApp } from "./pages/app.ts";
import { handler, type RecordedRequest } from "./server.ts";
import { createRepo, pushCommit, repoLocks } from "./set-up.ts";
import type { Scope } from "./state/scopes.ts";
import { Store } from "./state/store.ts";
import { Deliveries, type Delivery } from "./webhooks/deliveries.ts";
import { isPull } from "./webhooks/send.ts";
import type { World } from "./world.ts";

export interface TokenOptions {
  scopes: readonly Scope[];
  /** `owner/name`s that the token is limited to. */
  repositories?: readonly string[];
}

const maxRequestBytes = 1024 * 1024 * 1024;

/** A running simulator, as a test holds it. */
export class Forge implements AsyncDisposable {
  readonly faults = new Faults();
  readonly #world: World;
  readonly #server: Bun.Server<undefined>;
  readonly #requests: RecordedRequest[] = [];
  readonly #actors = new Map<string, Actor>();
  /** Where the bare repositories are. */
  readonly dir: string;
  readonly #removeDir: boolean;

  private constructor(options: ForgeOptions, dir: string) {
    this.dir = dir;
    this.#removeDir = options.dir === undefined;
    const deliveries = new Deliveries({ faults: this.faults, timeoutMs: options.deliveryTimeoutMs ?? 5000 });
    const world = {
      url: "",
      store: new Store(dir, options.now ?? Date.now),
      deliveries,
      faults: this.faults,
      mergeChecks: new MergeChecks(options.mergeableDelayMs ?? 50),
      locked: repoLocks(),
    };
    this.#world = world;
    const api = apiApp(world);
    const answer = handler(world, { api, pages: pagesApp(world, api) }, this.#requests);
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port: options.port ?? 0,
      idleTimeout: 255,
      maxRequestBodySize: maxRequestBytes,
      fetch: answer,
    });
    world.url = `http://127.0.0.1:${this.#server.port}`;
  }

  static async start(options: ForgeOptions): Promise<Forge> {
    if (options.dir !== undefined) await mkdir(options.dir, { recursive: true });
    const dir = options.dir ?? (await mkdtemp(join(tmpdir(), "forge-sim-")));
    const forge = new Forge(options, dir);
    try {
      for (const user of options.users ?? []) forge.addUser(typeof user === "string" ? { login: user } : user);
      for (const repo of options.repos ?? []) await forge.addRepo(repo);
    } catch (error) {
      await forge[Symbol.asyncDispose]();
      throw error;
    }
    return forge;
  }

  /** Without a slash at the end. */
  get url(): string {
    return this.#world.url;
  }

  addUser(user: UserOption): void {
    this.#world.store.addUser(user);
  }

  /** Answers with its numeric id. */
  async addRepo(repo: RepoOption): Promise<number> {
    return (await createRepo(this.#world.store, repo)).id;
  }

  repositoryId(full: string): number {
    return this.#world.store.requireRepo(full).id;
  }

  createToken(login: string, { scopes, repositories }: TokenOptions): string {
    return this.#world.store.addToken(login, scopes, repositories).value;
  }

  revokeToken(token: string): void {
    this.#world.store.tokens.delete(token);
  }

  archive(full: string): void {
    this.#world.store.requireRepo(full).archived = true;
  }

  /** The user's own hands: everything that they do goes through the API. */
  as(login: string): Actor {
    const user = this.#world.store.requireUser(login);
    const known = this.#actors.get(user.login);
    if (known) return known;
    const actor = new Actor({
      url: this.url,
      token: this.createToken(user.login, { scopes: ["all"] }),
      commit: (request) => pushCommit(this.#world, user, request),
    });
    this.#actors.set(user.login, actor);
    return actor;
  }

  /** In the order of their numbers. */
  issues(full: string): ApiIssue[] {
    const { issues } = this.#world.store.requireRepo(full);
    return [...issues.values()].filter((issue) => !isPull(issue)).map((issue) => toIssue(this.#world, issue));
  }

  /** In the order of their numbers. */
  pullRequests(full: string): ApiPullRequest[] {
    const { issues } = this.#world.store.requireRepo(full);
    return [...issues.values()].filter(isPull).map((issue) => toPull(this.#world, issue));
  }

  /** Of an issue or a pull request, oldest first. */
  comments(full: string, number: number): ApiComment[] {
    const issue = this.#world.store.requireRepo(full).issues.get(number);
    if (!issue) throw new Error(`no issue ${full}#${number}`);
    return [...issue.comments.values()].map((comment) => toComment(this.#world, comment));
  }

  /** The SHA; undefined when there is no such branch. */
  branchHead(full: string, branch: string): string | undefined {
    return this.#world.store.requireRepo(full).refs.get(branchRef(branch));
  }

  /** Every webhook since the start, in the order in which they were made. */
  deliveries(): readonly Readonly<Delivery>[] {
    return this.#world.deliveries.all;
  }

  /** The replay of the web page: the same body under a new UUID. */
  redeliver(uuid: string): Readonly<Delivery> {
    const delivery = this.#world.deliveries.all.find((one) => one.uuid === uuid);
    if (!delivery) throw new Error(`no delivery ${uuid}`);
    const hook = this.#world.store.requireRepo(delivery.repository).hooks.get(delivery.hookId);
    if (!hook) throw new Error(`the hook ${delivery.hookId} of delivery ${uuid} is gone`);
    return this.#world.deliveries.replay(hook, delivery);
  }

  /** Resolves when no webhook is under way. */
  settled(): Promise<void> {
    return this.#world.deliveries.settled();
  }

  /** Resolves when `mergeable` is worked out for every pull request. */
  mergeableSettled(): Promise<void> {
    return this.#world.mergeChecks.settled();
  }

  /** Every request since the start, git's included, in the order of the answers. */
  requests(): readonly Readonly<RecordedRequest>[] {
    return this.#requests;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
    this.#world.deliveries.stop();
    this.#world.mergeChecks.stop();
    await this.#world.deliveries.settled();
    await this.#world.mergeChecks.settled();
    if (this.#removeDir) await rm(this.dir, { recursive: true, force: true });
  }
}
