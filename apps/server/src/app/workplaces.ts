import type { Config } from "../config/config.ts";
import { branchFor } from "../domain/agent.ts";
import type { Forge } from "../domain/forge.ts";
import type { Clock } from "../domain/ids.ts";
import type { Published, RunBase } from "../domain/run.ts";
import type { Jail } from "../jail/jail.ts";
import { type PlaceRequest, RunStopped, type Workplace, type Workplaces } from "../runs/ports.ts";
import { openCheckout } from "../workdir/checkout.ts";
import type { Mirror, Mirrors } from "../workdir/mirror.ts";
import type { JailedRunner, Remote } from "../workdir/ports.ts";
import { type PublishResult, publish } from "../workdir/publish.ts";
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
    if (synced.kind === "failed")
      throw new RunStopped({ kind: "clone-failed", retryable: true, detail: synced.detail });
    const base = request.settings.baseBranch ?? request.repository.defaultBranch;
    const result = await openCheckout(runner, {
      mirror,
      branch: branchFor(request.agent, request.thread.number),
      base,
      author: { name: request.agent.gitName, email: request.agent.gitEmail },
      keepUnfinished: await this.#deps.keepsUnfinished(request),
      now: this.#deps.clock.now(),
      timeoutMs: checkoutTimeoutMs,
      signal,
    });
    if (result.kind === "failed") throw new RunStopped(result.failure);
    await this.#setUp(runner, request, signal);
    const { head, base: sha, forgeHead, notes } = result.checkout;
    return { head, base: { branch: base, sha, forgeHead }, notes: [...synced.notes, ...notes] };
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
      return { kind: "failed", failure: { kind: "push-failed", retryable: true, detail: result.detail } };
    default:
      return result satisfies never;
  }
}
