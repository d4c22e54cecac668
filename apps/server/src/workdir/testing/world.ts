import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ForgeId, LaneKey } from "../../domain/ids.ts";
import { describeFailure, outputText, succeeded } from "../../domain/process.ts";
import { createGit } from "../../infrastructure/git.ts";
import type { Jail } from "../../jail/jail.ts";
import { openFolder, testJail } from "../../jail/testing/jails.ts";
import { type Checkout, type CheckoutRequest, openCheckout } from "../checkout.ts";
import { type Mirror, Mirrors } from "../mirror.ts";
import type { JailedRunner, Remote, RunGit } from "../ports.ts";
import type { PublishRequest } from "../publish.ts";
import { type Restored, type RestoreRequest, restoreWork } from "../restore.ts";
import { type SaveRequest, type SaveResult, saveWork } from "../save.ts";

const lane = "dev:0190a1b2" as LaneKey;
export const branch = "agent/1";
const bounds = { timeoutMs: 60_000, maxOutputBytes: 10_000_000 };

/** A forge's bare repository, a person's clone of it, a mirror, and a lane with its jail: all real. */
export class World implements Disposable {
  readonly folder: { path: string } & Disposable;
  readonly forge: string;
  readonly person: string;
  readonly remote: Remote;
  readonly git: RunGit = createGit({ allowFileUrls: true });
  mirror!: Mirror;
  jail!: Jail;
  runner!: JailedRunner;
  /** The checkout as this machine sees it. */
  checkout!: string;

  private constructor(folder: { path: string } & Disposable) {
    this.folder = folder;
    this.forge = join(folder.path, "forge.git");
    this.person = join(folder.path, "person");
    this.remote = { url: `file://${this.forge}`, header: "Basic c2VjcmV0LWNhbmFyeQ==" };
  }

  static async open(): Promise<World> {
    const world = new World(openFolder());
    mkdirSync(world.person);
    await world.asPerson(`git init -q --bare -b main ${world.forge}
      git -C ${world.forge} config core.logAllRefUpdates always
      git init -q -b main . && git remote add origin ${world.forge}
      git config user.name Person && git config user.email person@example.org`);
    await world.commitOnForge("main", "README", "hello\n");
    await world.#start(world.git);
    await world.sync();
    return world;
  }

  /** The world of another process, which started it and will end it. */
  static async again(folder: string, git: RunGit): Promise<World> {
    const world = new World({ path: folder, [Symbol.dispose]: () => undefined });
    await world.#start(git);
    return world;
  }

  async #start(git: RunGit): Promise<void> {
    this.jail = await testJail(this.folder.path);
    this.mirror = this.openMirror(git);
    const opened = await this.jail.openLane(lane, { mirror: this.mirror.path });
    this.checkout = opened.checkout;
    this.runner = {
      run: (command, options) => this.jail.run(opened, command, options),
      setAside: (stamp) => this.jail.setAside(opened, stamp),
    };
  }

  openMirror(git: RunGit = this.git): Mirror {
    const folder = join(this.folder.path, "state", "mirrors");
    const mirrors = new Mirrors(git, { folder, group: this.jail.lanesGroup, fetchTimeoutMs: 60_000 });
    return mirrors.mirror("forge" as ForgeId, 7);
  }

  async sync(): Promise<void> {
    const synced = await this.mirror.sync(this.remote);
    if (synced.kind === "failed") throw new Error(synced.detail);
  }

  /** As a person at a terminal of their own, who is nobody's agent. */
  async asPerson(script: string): Promise<string> {
    const env = { PATH: "/usr/bin:/bin", HOME: "/nonexistent", GIT_CONFIG_GLOBAL: "/dev/null" };
    const child = Bun.spawn(["/bin/sh", "-ec", script], { cwd: this.person, env, stderr: "pipe" });
    const out = await new Response(child.stdout).text();
    if ((await child.exited) !== 0) throw new Error(await new Response(child.stderr).text());
    return out.trim();
  }

  async commitOnForge(on: string, file: string, text: string): Promise<string> {
    await this.asPerson(
      `git fetch -q origin && (git checkout -q ${on} && git reset -q --hard origin/${on} || git checkout -q -b ${on}) 2>&1`,
    );
    writeFileSync(join(this.person, file), text);
    return this.asPerson(
      `git add -A && git commit -qm "change ${file}" && git push -q origin HEAD:${on} && git rev-parse HEAD`,
    );
  }

  /** As the agent, in its checkout, in the jail. */
  async agent(script: string): Promise<string> {
    const result = await this.runner.run(["/bin/bash", "-ec", script], bounds);
    if (!succeeded(result)) throw new Error(describeFailure(result));
    return outputText(result).trim();
  }

  async open(changes: Partial<CheckoutRequest> = {}): Promise<Checkout> {
    const opened = await openCheckout(this.runner, this.checkoutRequest(changes));
    if (opened.kind === "failed") throw new Error(JSON.stringify(opened.failure));
    return opened.checkout;
  }

  checkoutRequest(changes: Partial<CheckoutRequest> = {}): CheckoutRequest {
    return {
      mirror: this.mirror,
      branch,
      base: "main",
      author: { name: "Agent", email: "agent@example.org" },
      keepUnfinished: false,
      now: Date.UTC(2026, 0, 2, 3, 4, 5),
      timeoutMs: 60_000,
      ...changes,
    };
  }

  save(changes: Partial<SaveRequest> = {}): Promise<SaveResult> {
    const now = Date.UTC(2026, 0, 3);
    const limits = { maxPackBytes: 10_000_000, timeoutMs: 60_000 };
    return saveWork(this.runner, { lane, mirror: this.mirror, published: [], now, ...limits, ...changes });
  }

  restore(changes: Partial<RestoreRequest> = {}): Promise<Restored> {
    const request = { lane, mirror: this.mirror, branch, onForge: false, putChanges: true, timeoutMs: 60_000 };
    return restoreWork(this.runner, { ...request, ...changes });
  }

  removeCheckout(): Promise<void> {
    return this.jail.removeCheckout(lane).then(async () => void (await this.jail.openLane(lane)));
  }

  publishRequest(
    { base, forgeHead }: Pick<Checkout, "base" | "forgeHead">,
    changes: Partial<PublishRequest> = {},
  ): PublishRequest {
    return {
      lane,
      mirror: this.mirror,
      branch,
      base: { branch: "main", sha: base },
      defaultBranch: "main",
      forgeHead,
      remote: this.remote,
      maxPackBytes: 10_000_000,
      timeoutMs: 60_000,
      ...changes,
    };
  }

  forgeHead(ref = `refs/heads/${branch}`): Promise<string> {
    return this.asPerson(`git -C ${this.forge} rev-parse --verify -q ${ref} || true`);
  }

  /** Every ref of the forge, and how often the agent's branch was written. */
  async forgeRefs(): Promise<{ refs: string[]; writes: number }> {
    const refs = (await this.asPerson(`git -C ${this.forge} for-each-ref --format='%(refname)'`)).split("\n");
    const log = await this.asPerson(`cat ${this.forge}/logs/refs/heads/${branch} 2>/dev/null || true`);
    return { refs, writes: log === "" ? 0 : log.split("\n").length };
  }

  /** A folder into which anybody may write, for markers of code that ran where it must not. */
  markers(): string {
    const folder = join(this.folder.path, "markers");
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    return folder;
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}
