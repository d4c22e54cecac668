import { readdir } from "node:fs/promises";
import type { Config } from "../config/config.ts";
import { branchFor } from "../domain/agent.ts";
import type { Forge } from "../domain/forge.ts";
import type { Clock, LaneKey } from "../domain/ids.ts";
import type { CommandBounds } from "../domain/process.ts";
import type { Published, RunBase, RunFailure } from "../domain/run.ts";
import { stampOf } from "../domain/stamp.ts";
import type { Thread } from "../domain/thread.ts";
import type { Jail } from "../jail/jail.ts";
import { type PlaceRequest, RunStopped, type Workplace, type Workplaces } from "../runs/ports.ts";
import type { PutAway } from "../runs/tidy.ts";
import { openCheckout } from "../workdir/checkout.ts";
import type { Mirror, Mirrors } from "../workdir/mirror.ts";
import type { JailedRunner, Remote } from "../workdir/ports.ts";
import { type PublishResult, publish } from "../workdir/publish.ts";
import { restoreWork } from "../workdir/restore.ts";
import { type SaveResult, saveWork } from "../workdir/save.ts";
import { runSetup } from "../workdir/setup.ts";

const checkoutTimeoutMs = 10 * 60_000;
const publishTimeoutMs = 10 * 60_000;
const maxPackBytes = 256 * 1024 ** 2;

export interface WorkplaceDeps {
  clock: Clock;
  config: Pick<Config, "limits">;
  jail: Jail;
  mirrors: Mirrors;
  /** The agent's own user on the repository's forge. */
  forgeOf(place: PlaceRequest): Pick<Forge, "gitAuthorization">;
  /** A run begins on the thread: its work goes on, although it may have been over. */
  begins(place: PlaceRequest): Promise<void>;
  /** Whether the lane's next agent goes on with what an interrupted one left in the checkout. */
  keepsUnfinished(place: PlaceRequest): Promise<boolean>;
}

interface Place {
  mirror: Mirror;
  runner: JailedRunner;
}

/** Mirror, jail and checkout put together for the lane of a run. */
export class LaneWorkplaces implements Workplaces {
  readonly #deps: WorkplaceDeps;

  constructor(deps: WorkplaceDeps) {
    this.#deps = deps;
  }

  async prepare(request: PlaceRequest, signal: AbortSignal): Promise<Workplace> {
    const { mirror, runner } = await this.#place(request);
    const synced = await mirror.sync(this.#remote(request));
    if (synced.kind === "failed") throw new RunStopped(syncFailure(synced.detail));
    await this.#deps.begins(request);
    const keepUnfinished = await this.#deps.keepsUnfinished(request);
    const branch = branchFor(request.agent, request.thread.number);
    const base = request.settings.baseBranch ?? request.repository.defaultBranch;
    const result = await openCheckout(runner, {
      mirror,
      branch,
      base,
      author: { name: request.agent.gitName, email: request.agent.gitEmail },
      keepUnfinished,
      now: this.#deps.clock.now(),
      timeoutMs: checkoutTimeoutMs,
      signal,
    });
    if (result.kind === "failed") throw new RunStopped(result.failure);
    const { head, base: sha, forgeHead, notes } = result.checkout;
    const restored = await restoreWork(runner, {
      lane: request.run.lane,
      mirror,
      branch,
      onForge: forgeHead !== null,
      putChanges: keepUnfinished,
      timeoutMs: checkoutTimeoutMs,
      signal,
    });
    await this.#setUp(runner, request, signal);
    return {
      head: restored.head ?? head,
      base: { branch: base, sha, forgeHead },
      notes: [...synced.notes, ...notes, ...restored.notes],
    };
  }

  async publish(request: PlaceRequest, base: RunBase, signal: AbortSignal): Promise<Published> {
    const { mirror, runner } = await this.#place(request);
    const result = await publish(runner, {
      lane: request.run.lane,
      mirror,
      branch: request.run.branch,
      base: { branch: base.branch, sha: base.sha },
      defaultBranch: request.repository.defaultBranch,
      forgeHead: base.forgeHead,
      remote: this.#remote(request),
      maxPackBytes,
      timeoutMs: publishTimeoutMs,
      signal,
    });
    return published(result, base.forgeHead ?? base.sha);
  }

  /**
   * Saves what is not on the forge and removes the lane's checkout; what git cannot save is set aside as it is. `onForge`
   * are commits that the forge has had. Nothing else may run in the lane.
   */
  async putAway(
    { lane, thread, onForge }: { lane: LaneKey; thread: Thread; onForge: readonly string[] },
    signal: AbortSignal,
  ): Promise<PutAway> {
    const { jail, mirrors, clock } = this.#deps;
    const mirror = mirrors.mirror(thread.forge, thread.repositoryId);
    const opened = await jail.openLane(lane, { mirror: mirror.path });
    const jailed = { run: (command: readonly string[], options: CommandBounds) => jail.run(opened, command, options) };
    const now = clock.now();
    const saved: SaveResult = (await mirror.exists())
      ? await saveWork(jailed, {
          lane,
          mirror,
          published: onForge,
          now,
          maxPackBytes,
          timeoutMs: publishTimeoutMs,
          signal,
        })
      : await withoutMirror(opened.checkout);
    if (saved.kind === "failed") return saved;
    if (saved.kind === "unsavable")
      return { kind: "kept", path: await jail.setAside(opened, stampOf(now)), why: saved.why };
    await jail.removeCheckout(lane);
    return saved;
  }

  async #setUp(runner: JailedRunner, { settings }: PlaceRequest, signal: AbortSignal): Promise<void> {
    if (settings.setup === null) return;
    const { setupTimeoutMs } = this.#deps.config.limits;
    const setup = await runSetup(runner, settings.setup, { timeoutMs: setupTimeoutMs, signal });
    if (setup.kind === "failed") throw new RunStopped(setup.failure);
  }

  async #place(request: PlaceRequest): Promise<Place> {
    const { jail, mirrors } = this.#deps;
    const mirror = mirrors.mirror(request.thread.forge, request.thread.repositoryId);
    const lane = await jail.openLane(request.run.lane, { mirror: mirror.path });
    const runner: JailedRunner = {
      run: (command, options) => jail.run(lane, command, options),
      setAside: (stamp) => jail.setAside(lane, stamp),
    };
    return { mirror, runner };
  }

  #remote(request: PlaceRequest): Remote {
    return { url: request.repository.cloneUrl, header: this.#deps.forgeOf(request).gitAuthorization() };
  }
}

/** Without it the checkout's own objects are not whole either. */
async function withoutMirror(checkout: string): Promise<SaveResult> {
  const empty = (await readdir(checkout)).length === 0;
  return empty ? { kind: "nothing" } : { kind: "unsavable", why: "the repository's mirror is gone" };
}

/** What git refuses for its content stays refused, however often it is asked (git-fsck(1)). */
function syncFailure(detail: string): RunFailure {
  if (/fsck error|fsckObjects/.test(detail)) return { kind: "repository-refused", retryable: false, detail };
  return { kind: "clone-failed", retryable: true, detail };
}

function published(result: PublishResult, before: string): Published {
  const uncommitted = result.leftovers.uncommitted.length > 0;
  switch (result.kind) {
    case "published":
      return { kind: "published", head: result.head, ...result.work, uncommitted };
    case "no-change":
      return { kind: "no-change", head: before, uncommitted };
    case "refused":
      return { kind: "failed", failure: { kind: "publish-refused", retryable: false, detail: result.detail } };
    case "push-failed":
      return { kind: "failed", failure: { kind: "push-failed", retryable: false, detail: result.detail } };
    case "moved":
      return { kind: "failed", failure: { kind: "branch-moved", retryable: true, detail: result.detail } };
    default:
      return result satisfies never;
  }
}
