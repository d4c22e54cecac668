import type { Timers } from "../domain/timers.ts";
import { createLink, type Link, type LinkDeps, type LinkHandlers } from "./link.ts";

export interface SupervisorDeps extends LinkDeps {
  timers: Timers;
  log: { error(fields: Record<string, unknown>, message: string): void };
}

interface Events extends LinkHandlers {
  /** A process is there, the first or another. */
  up(link: Link): void;
  /** It was given up. */
  down(why: string): void;
}

export type BrokerState = "up" | "restarting" | "down";

/** Keeps one process of the broker going. */
export interface Supervisor extends AsyncDisposable {
  /** Rejects where the first process does not come up. */
  begin(): Promise<void>;
  /** One more try after it was given up. */
  retry(): void;
  link(): Link | null;
  state: () => BrokerState;
}

const maxRestarts = 8;
/** A process that lived so long is no part of a series of failures. */
const settledMs = 60_000;
const stopMs = 3_000;

export function createSupervisor(deps: SupervisorDeps, events: Events): Supervisor {
  let link: Link | null = null;
  let state: BrokerState = "restarting";
  let failures = 0;
  let disposed = false;
  let cancelTimer = () => {};

  async function begin(): Promise<void> {
    const next = createLink(deps, events);
    link = next;
    await next.ready;
    state = "up";
    cancelTimer = deps.timers.after(settledMs, () => {
      failures = 0;
    });
    events.up(next);
    void next.ended.then(ended);
  }

  function ended(why: string): void {
    cancelTimer();
    link = null;
    if (disposed) return;
    failures += 1;
    if (failures > maxRestarts) {
      state = "down";
      deps.log.error({ why, failures }, "the broker is given up: no agent reaches the model until it starts again");
      return events.down(why);
    }
    state = "restarting";
    const delayMs = Math.min(100 * 2 ** failures, 10_000);
    deps.log.error({ why, delayMs, failures }, "the broker ended, and is started again");
    cancelTimer = deps.timers.after(delayMs, again);
  }

  function again(): void {
    begin().catch((error: unknown) => ended(error instanceof Error ? error.message : String(error)));
  }

  return {
    begin,
    link: () => (state === "up" ? link : null),
    state: () => state,
    retry() {
      state = "restarting";
      failures = maxRestarts;
      again();
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      cancelTimer();
      const last = link;
      if (last === null) return;
      last.finish();
      const cancelKill = deps.timers.after(stopMs, () => last.kill());
      await last.ended;
      cancelKill();
    },
  };
}
