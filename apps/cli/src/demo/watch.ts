import { setTimeout } from "node:timers/promises";
import { DemoFailure } from "./failure.ts";

const lookEveryMs = 50;

/** Waits for things to come true: not longer than a stage may take, and not when there is nothing left to wait for. */
export class Watch {
  readonly #limitMs: number;
  readonly #signal: AbortSignal;

  /** When `signal` aborts, what waits rejects with its reason. */
  constructor(limitMs: number, signal: AbortSignal) {
    this.#limitMs = limitMs;
    this.#signal = signal;
  }

  get signal(): AbortSignal {
    return this.#signal;
  }

  /**
   * The first answer that is not undefined.
   * @throws DemoFailure that names `what` where none comes in time.
   */
  async until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
    const end = performance.now() + this.#limitMs;
    for (;;) {
      this.#signal.throwIfAborted();
      const found = await look();
      if (found !== undefined) return found;
      if (performance.now() >= end)
        throw new DemoFailure(`waited ${Math.round(this.#limitMs / 1_000)} s for ${what}, in vain`);
      await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    try {
      await setTimeout(lookEveryMs, undefined, { signal: this.#signal });
    } catch (error) {
      this.#signal.throwIfAborted();
      throw error;
    }
  }
}
