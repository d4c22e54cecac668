import { Interrupted } from "./failure.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The code of a process that Ctrl-C ended. */
export const interruptedCode = 130;

/**
 * How the demo ends: the first signal asks it to, the second one ends it by force. What was opened is closed in both
 * cases, newest first.
 */
export class Ending implements AsyncDisposable {
  readonly #closing = new AsyncDisposableStack();
  readonly #abort = new AbortController();
  readonly #asked = Promise.withResolvers<void>();
  readonly #forced: (() => Promise<void>)[] = [];
  readonly #say: (text: string) => void;
  #heard = 0;

  constructor(say: (text: string) => void) {
    this.#say = say;
    for (const signal of signals) process.on(signal, this.#hear);
    // Whoever read the story has gone (`| head`): there is nobody to tell anything to.
    for (const stream of [process.stdout, process.stderr]) stream.on("error", this.#unread);
  }

  /** Aborts with an {@link Interrupted} when somebody asks for the end, and with what `fail` was told. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Resolves when somebody asks for the end. */
  get asked(): Promise<void> {
    return this.#asked.promise;
  }

  /** Ends what waits, for a reason that people are told. */
  fail(reason: Error): void {
    this.#abort.abort(reason);
  }

  /** `byForce` is what a second Ctrl-C does instead of `close`; it, too, must leave nothing behind. */
  closeWith(close: () => Promise<void>, byForce: () => Promise<void> = close): void {
    this.#closing.defer(close);
    this.#forced.unshift(byForce);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ask();
    await this.#closing.disposeAsync();
    for (const signal of signals) process.off(signal, this.#hear);
    for (const stream of [process.stdout, process.stderr]) stream.off("error", this.#unread);
  }

  readonly #hear = (): void => {
    this.#heard += 1;
    if (this.#heard === 1) {
      this.#say("\nstopping, and cleaning up (Ctrl-C again: at once)");
      this.#ask();
    }
    if (this.#heard === 2) void this.#force();
  };

  readonly #unread = (): void => this.#ask();

  #ask(): void {
    this.#abort.abort(new Interrupted("somebody asked for the end"));
    this.#asked.resolve();
  }

  async #force(): Promise<never> {
    for (const close of this.#forced) await close().catch(() => {});
    process.exit(interruptedCode);
  }
}
