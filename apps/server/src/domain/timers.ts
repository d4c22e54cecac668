/** Calls back after a time; the function that comes back cancels it. Real in `infrastructure/clock.ts`, driven by hand in tests. */
export interface Timers {
  after(ms: number, run: () => void): () => void;
}
