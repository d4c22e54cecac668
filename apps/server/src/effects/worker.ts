import type { Effect, EffectResult } from "../domain/effect.ts";
import { ForgeError, type RepositoryInfo } from "../domain/forge.ts";
import type { Clock, EffectId } from "../domain/ids.ts";
import type { Log } from "../domain/log.ts";
import type { Timers } from "../domain/timers.ts";
import { type EffectForge, perform } from "./perform.ts";
import { afterRefusal } from "./retry.ts";

export interface EffectBook {
  /** At most one for each thread, oldest first; none whose thread has an older one that is not finished. */
  nextDue(now: number): Promise<Effect[]>;
  /** Counts the attempt. False where somebody else took it. */
  markSending(id: EffectId): Promise<boolean>;
  done(id: EffectId, result: EffectResult): Promise<boolean>;
  retryAt(id: EffectId, when: number, error: string): Promise<boolean>;
  supersede(id: EffectId, why: string): Promise<boolean>;
  park(id: EffectId, error: string): Promise<boolean>;
  sending(): Promise<Effect[]>;
}

type End = "done" | "superseded" | "parked";

export interface WorkerDeps {
  clock: Clock;
  timers: Timers;
  log: Log;
  effects: EffectBook;
  /** The forge by the effect's author; throws where the configuration knows no such user. */
  forgeFor(effect: Effect): EffectForge;
  /** The repository's name now, by its numeric id. */
  repository(effect: Effect): Promise<Pick<RepositoryInfo, "name">>;
  /** From 0 up to 1. */
  random(): number;
  /** An effect has ended. */
  onEnd(effect: Effect, state: End): void;
}

/** Effects at once; each thread's go one after the other. A forge that hangs holds back its own only. */
const width = 8;
const scanMs = 1_000;
/** What is still being sent then is looked up at the next start. */
const stopGraceMs = 5_000;
const lookEveryMs = 20;

/** Sends stored effects, each once: what it cannot know to be undone, it looks up before it sends it again. */
export class OutboxWorker {
  readonly #deps: WorkerDeps;
  readonly #sending = new Map<EffectId, Promise<void>>();
  #scanning: Promise<void> | null = null;
  #again = false;
  #stopped = false;
  /** Effects may stand in `sending` that nobody sends. */
  #orphans = true;
  #cancelScan: () => void = () => {};

  constructor(deps: WorkerDeps) {
    this.#deps = deps;
  }

  /** Takes back what a crash left half sent, and begins to work. */
  async start(): Promise<void> {
    await this.#takeBack();
    this.wake();
  }

  /** Something may be due. */
  wake(): void {
    this.#again = true;
    if (this.#stopped || this.#scanning !== null) return;
    this.#cancelScan();
    this.#scanning = this.#scan().finally(() => {
      this.#scanning = null;
      if (this.#stopped) return;
      if (this.#again) return this.wake();
      this.#cancelScan();
      this.#cancelScan = this.#deps.timers.after(scanMs, () => this.wake());
    });
  }

  /** Resolves when nothing is due any more, or after `withinMs`: so that the last words of a run that just ended still go out. */
  async finish(withinMs: number): Promise<void> {
    const { clock, timers, effects } = this.#deps;
    const end = clock.now() + withinMs;
    while (clock.now() < end && (this.#sending.size > 0 || (await effects.nextDue(clock.now())).length > 0)) {
      this.wake();
      const turn = Promise.withResolvers<void>();
      timers.after(lookEveryMs, () => turn.resolve());
      await turn.promise;
    }
  }

  /** Takes no more, and resolves when nothing is being sent any more, or after 5 s. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelScan();
    await this.#scanning;
    if (this.#sending.size === 0) return;
    const grace = Promise.withResolvers<void>();
    const cancel = this.#deps.timers.after(stopGraceMs, () => grace.resolve());
    await Promise.race([Promise.all(this.#sending.values()), grace.promise]);
    cancel();
  }

  async #scan(): Promise<void> {
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        if (this.#orphans) await this.#takeBack();
        const free = width - this.#sending.size;
        const due = free > 0 ? await this.#deps.effects.nextDue(this.#deps.clock.now()) : [];
        for (const effect of due.filter(({ id }) => !this.#sending.has(id)).slice(0, free)) this.#begin(effect);
      }
    } catch (error) {
      this.#deps.log.error({ error }, "the outbox could not be read; it is tried again in a second");
    }
  }

  async #takeBack(): Promise<void> {
    const { effects, clock } = this.#deps;
    for (const { id } of await effects.sending()) {
      if (!this.#sending.has(id)) await effects.retryAt(id, clock.now(), "the service stopped while it was sent");
    }
    this.#orphans = false;
  }

  #begin(effect: Effect): void {
    const sent = this.#send(effect)
      .catch((error: unknown) => {
        // The book failed, not the forge: the effect may stand in `sending`, and is looked up again.
        this.#orphans = true;
        this.#deps.log.error(
          { effectId: effect.id, error },
          "an effect's outcome could not be stored; it is looked up again",
        );
        return false;
      })
      .then((goOn) => {
        this.#sending.delete(effect.id);
        if (goOn) this.wake();
      });
    this.#sending.set(effect.id, sent);
  }

  /** Whether more may be due at once. */
  async #send(effect: Effect): Promise<boolean> {
    const { effects } = this.#deps;
    if (!(await effects.markSending(effect.id))) return false;
    const performed = await this.#perform(effect);
    switch (performed.kind) {
      case "done":
        return await this.#end(effect, "done", () => effects.done(effect.id, performed.result));
      case "superseded":
        return await this.#end(effect, "superseded", () => effects.supersede(effect.id, performed.why));
      case "refused":
        return await this.#refused(effect, performed.error);
      default:
        return performed satisfies never;
    }
  }

  async #perform(effect: Effect): Promise<Awaited<ReturnType<typeof perform>> | { kind: "refused"; error: unknown }> {
    try {
      const forge = this.#deps.forgeFor(effect);
      const { name } = await this.#deps.repository(effect);
      return await perform(forge, name, effect);
    } catch (error) {
      return { kind: "refused", error };
    }
  }

  async #refused(effect: Effect, thrown: unknown): Promise<boolean> {
    const { effects, log, clock } = this.#deps;
    const random = this.#deps.random();
    const error = thrown instanceof ForgeError ? thrown : unforeseen(thrown);
    const next = afterRefusal({ error, attempts: effect.attempts + 1, now: clock.now(), random });
    const ids = { effectId: effect.id, runId: effect.run };
    if (next.kind === "retry") {
      log.warn({ ...ids, at: next.at, error: thrown }, "effect is tried again later");
      await effects.retryAt(effect.id, next.at, error.message);
      return false;
    }
    log.error({ ...ids, error: thrown }, "effect is parked: a person has to look");
    return await this.#end(effect, "parked", () => effects.park(effect.id, `${error.message} ${next.advice}`));
  }

  async #end(effect: Effect, state: End, move: () => Promise<boolean>): Promise<boolean> {
    if (await move()) this.#deps.onEnd(effect, state);
    return true;
  }
}

/** Not of the forge: a user that the configuration does not know any more, or a bug. Waiting mends neither. */
function unforeseen(thrown: unknown): ForgeError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const detail = { kind: "invalid", status: null, ambiguous: false } as const;
  return new ForgeError(`the effect could not be sent: ${message}.`, detail, { cause: thrown });
}
