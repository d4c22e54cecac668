import { ForgeError } from "../domain/forge.ts";
import type { Clock, ForgeId } from "../domain/ids.ts";
import type { Log } from "../domain/log.ts";
import type { Thread } from "../domain/thread.ts";
import type { Timers } from "../domain/timers.ts";

export interface ClosedThreadsDeps {
  clock: Clock;
  timers: Timers;
  log: Log;
  /** One call: what the repository is called now. */
  repositoryName(forge: ForgeId, repositoryId: number): Promise<string>;
  /** One call. */
  state(thread: Thread, repository: string): Promise<"open" | "closed">;
}

/** Shortest time between the beginnings of two calls. */
const everyMs = 200;

/**
 * The threads that the forge says are closed. A forge that does not answer is not asked again in this round, and of a
 * thread that it does not know nothing is concluded: no answer is never a reason to remove anything.
 */
export async function* closedThreads(
  deps: ClosedThreadsDeps,
  threads: readonly Thread[],
  signal: AbortSignal,
): AsyncGenerator<Thread> {
  const silent = new Set<ForgeId>();
  const names = new Map<string, string | null>();
  const pace = paced(deps);
  for (const thread of threads) {
    if (signal.aborted) return;
    if (silent.has(thread.forge)) continue;
    try {
      const key = `${thread.forge}/${thread.repositoryId}`;
      if (!names.has(key)) {
        names.set(key, null);
        await pace();
        names.set(key, await deps.repositoryName(thread.forge, thread.repositoryId));
      }
      const name = names.get(key) ?? null;
      if (name === null) continue;
      await pace();
      if ((await deps.state(thread, name)) === "closed") yield thread;
    } catch (error) {
      if (!(error instanceof ForgeError)) throw error;
      if (error.kind === "not-found") continue;
      silent.add(thread.forge);
      deps.log.warn({ forge: thread.forge, error: error.message }, "the forge cannot be asked what is closed; not now");
    }
  }
}

function paced({ clock, timers }: Pick<ClosedThreadsDeps, "clock" | "timers">): () => Promise<void> {
  let last: number | null = null;
  return async () => {
    // A clock that was set back must not stop the round.
    const wait = last === null ? 0 : Math.min(everyMs, last + everyMs - clock.now());
    if (wait > 0) await new Promise<void>((resolve) => void timers.after(wait, resolve));
    last = clock.now();
  };
}
