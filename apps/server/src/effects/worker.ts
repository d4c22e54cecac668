import type { Effect, EffectResult } from "../domain/effect.ts";
import { ForgeError, type RepositoryInfo } from "../domain/forge.ts";
import type { Clock, EffectId } from "../domain/ids.ts";
import type { Log } from "../domain/log.ts";
import type { Timers } from "../domain/timers.ts";
import { brokenPrecondition, type EffectForge, perform } from "./perform.ts";
import { afterRefusal } from "./retry.ts";

export interface EffectBook {
  /** At most one for each thread, oldest first. */
  nextDue(now: number): Promise<Effect[]>;
  nextDueAt(): Promise<number | null>;
  /** False where somebody else took it. */
  markSending(id: EffectId): Promise<boolean>;
  done(id: EffectId, result: EffectResult): Promise<boolean>;
  retryAt(id: EffectId, when: number, error: string): Promise<boolean>;
  supersede(id: EffectId, why: string): Promise<boolean>;
  park(id: EffectId, error: string): Promise<boolean>;
  sending(): Promise<Effect[]>;
}

export interface WorkerDeps {
  clock: Clock;
  timers: Timers;
  log: Log;
  effects: EffectBook;
  /** The forge by the effect's author. */
  forgeFor(effect: Effect): EffectForge;
  /** The repository's name now, by its numeric id. */
  repository(effect: Effect): Promise<Pick<RepositoryInfo, "name">>;
  random(): number;
  /** An effect has ended: done, superseded or parked. */
  onEnd(effect: Effect, state: "done" | "superseded" | "parked"): void;
}

/** Threads at once; each thread's effects go one after the other. */
const width = 8;
const scanMs = 1_000;

/** Sends stored effects, each once: what it cannot know to be undone, it looks up before it sends it again. */
export class OutboxWorker {
  readonly #deps: WorkerDeps;
  #busy: Promise<void> | null = null;
  #again = false;
  #stopped = false;
  #cancelScan: () => void = () => {};

  constructor(deps: WorkerDeps) {
    this.#deps = deps;
  }

  /** Takes back what a crash left half sent, and begins to work. */
  async start(): Promise<void> {
    for (const effect of await this.#deps.effects.sending()) {
      await this.#deps.effects.retryAt(effect.id, this.#deps.clock.now(), "the service stopped while it was sent");
    }
    this.wake();
  }

  /** Something may be due. */
  wake(): void {
    this.#again = true;
    if (this.#stopped || this.#busy !== null) return;
    this.#cancelScan();
    this.#busy = this.#work().finally(() => {
      this.#busy = null;
      if (!this.#stopped) this.#cancelScan = this.#deps.timers.after(scanMs, () => this.wake());
    });
  }

  /** Resolves when nothing is being sent any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelScan();
    await this.#busy;
  }

  async #work(): Promise<void> {
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        const due = await this.#deps.effects.nextDue(this.#deps.clock.now());
        await Promise.all(due.slice(0, width).map((effect) => this.#send(effect)));
        if (due.length > 0) this.#again = true;
      }
    } catch (error) {
      this.#deps.log.error({ error }, "the outbox could not be worked off; it is tried again in a second");
    }
  }

  async #send(effect: Effect): Promise<void> {
    const { effects, clock } = this.#deps;
    if (!(await effects.markSending(effect.id))) return;
    try {
      const { name } = await this.#deps.repository(effect);
      const forge = this.#deps.forgeFor(effect);
      const broken = await brokenPrecondition(forge, name, effect);
      if (broken !== null) return await this.#end(effect, "superseded", () => effects.supersede(effect.id, broken));
      const result = await perform(forge, name, effect.body);
      await this.#end(effect, "done", () => effects.done(effect.id, result));
    } catch (error) {
      await this.#refused(effect, error, clock.now());
    }
  }

  async #refused(effect: Effect, thrown: unknown, now: number): Promise<void> {
    const { effects, log } = this.#deps;
    const error = thrown instanceof ForgeError ? thrown : bug(thrown);
    const next = afterRefusal({ error, attempts: effect.attempts + 1, now, random: this.#deps.random() });
    if (next.kind === "retry") {
      log.warn({ effectId: effect.id, runId: effect.run, at: next.at, error: thrown }, "effect is tried again later");
      await effects.retryAt(effect.id, next.at, error.message);
      return;
    }
    log.error({ effectId: effect.id, runId: effect.run, error: thrown }, "effect is parked: a person has to look");
    await this.#end(effect, "parked", () => effects.park(effect.id, `${error.message}; ${next.advice}`));
  }

  async #end(effect: Effect, state: "done" | "superseded" | "parked", move: () => Promise<boolean>): Promise<void> {
    if (await move()) this.#deps.onEnd(effect, state);
  }
}

/** What nobody foresaw may have been carried out all the same: it is tried again with a look-up, and in the end parked. */
function bug(thrown: unknown): ForgeError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ForgeError(message, { kind: "unavailable", status: null, ambiguous: true }, { cause: thrown });
}
