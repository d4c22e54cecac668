import type { Timers } from "../domain/timers.ts";

/** Lets somebody wait for news of a key within this process; what is true is looked up in the database afterwards. */
export interface Changes {
  notify(key: string): void;
  /** Resolves on the next news of the key, after `ms`, or when the signal aborts: whichever comes first. */
  next(key: string, ms: number, signal?: AbortSignal): Promise<void>;
}

export function createChanges(timers: Timers): Changes {
  const waiting = new Map<string, Set<() => void>>();
  return {
    notify(key) {
      for (const wake of waiting.get(key) ?? []) wake();
    },
    next(key, ms, signal) {
      if (signal?.aborted === true) return Promise.resolve();
      return new Promise((resolve) => {
        const others = waiting.get(key) ?? new Set();
        waiting.set(key, others);
        const wake = (): void => {
          cancel();
          signal?.removeEventListener("abort", wake);
          others.delete(wake);
          if (others.size === 0) waiting.delete(key);
          resolve();
        };
        const cancel = timers.after(ms, wake);
        others.add(wake);
        signal?.addEventListener("abort", wake);
      });
    },
  };
}
