import type { Config } from "../config/config.ts";
import { branchFor } from "../domain/agent.ts";
import type { Forge } from "../domain/forge.ts";
import type { Clock } from "../domain/ids.ts";
import type { Published } from "../domain/run.ts";
import type { Jail } from "../jail/jail.ts";
import type { Lane } from "../jail/lanes.ts";
import { type PlaceRequest, RunStopped, type Workplaces } from "../runs/ports.ts";
import { openCheckout } from "../workdir/checkout.ts";
import type { Mirror, Mirrors } from "../workdir/mirror.ts";
import type { JailedRunner } from "../workdir/ports.ts";
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

/** Mirror, jail and checkout put together for the lane of a run. */
export function createWorkplaces(deps: WorkplaceDeps): Workplaces {
  const { clock, config, jail, mirrors } = deps;

  async function place(request: PlaceRequest): Promise<{ mirror: Mirror; lane: Lane; runner: JailedRunner }> {
    const mirror = mirrors.mirror(request.thread.forge, request.thread.repositoryId);
    const lane = await jail.openLane(request.run.lane, { mirror: mirror.path });
    const runner: JailedRunner = {
      run: (command, options) => jail.run(lane, command, options),
      setAside: (stamp) => jail.setAside(lane, stamp),
    };
    return { mirror, lane, runner };
  }

  const remoteOf = (request: PlaceRequest) => ({
    url: request.repository.cloneUrl,
    header: deps.forgeOf(request).gitAuthorization(),
  });

  return {
    async prepare(request, signal) {
      const { mirror, runner } = await place(request);
      const synced = await mirror.sync(remoteOf(request));
      if (synced.kind === "failed")
        throw new RunStopped({ kind: "clone-failed", retryable: true, detail: synced.detail });
      const base = request.settings.baseBranch ?? request.repository.defaultBranch;
      const result = await openCheckout(runner, {
        mirror,
        branch: branchFor(request.agent, request.thread.number),
        base,
        author: { name: request.agent.gitName, email: request.agent.gitEmail },
        keepUnfinished: await deps.keepsUnfinished(request),
        now: clock.now(),
        timeoutMs: checkoutTimeoutMs,
        signal,
      });
      if (result.kind === "failed") throw new RunStopped(result.failure);
      const { checkout } = result;
      if (request.settings.setup !== null) {
        const setup = await runSetup(runner, request.settings.setup, {
          timeoutMs: config.limits.setupTimeoutMs,
          signal,
        });
        if (setup.kind === "failed") throw new RunStopped(setup.failure);
      }
      return {
        head: checkout.head,
        base: { branch: base, sha: checkout.base, forgeHead: checkout.forgeHead },
        notes: [...synced.notes, ...checkout.notes],
      };
    },
    async publish(request, base, signal) {
      const { mirror, runner } = await place(request);
      const result = await publish(runner, {
        lane: request.run.lane,
        mirror,
        branch: request.run.branch,
        base: { branch: base.branch, sha: base.sha },
        defaultBranch: request.repository.defaultBranch,
        forgeHead: base.forgeHead,
        remote: remoteOf(request),
        maxPackBytes,
        timeoutMs: publishTimeoutMs,
        signal,
      });
      return published(result, base.forgeHead ?? base.sha);
    },
  };
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
