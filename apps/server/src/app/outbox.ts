import type { Effect } from "../domain/effect.ts";
import type { Clock } from "../domain/ids.ts";
import type { Changes } from "../infrastructure/changes.ts";
import { newId } from "../infrastructure/ids.ts";
import type { EffectEnd, Outbox } from "../runs/ports.ts";

export interface OutboxDeps {
  clock: Clock;
  effects: { enqueue(effect: Effect): Promise<unknown>; getByKey(key: string): Promise<Effect | null> };
  changes: Changes;
  /** Something new may be due. */
  wake(): void;
}

const lookAgainMs = 1_000;

/** The key under which the end of an effect is told. */
export const effectChange = (key: string): string => `effect:${key}`;

export function createOutbox(deps: OutboxDeps): Outbox {
  const { clock, effects, changes } = deps;
  return {
    async enqueue({ key, author, thread, run, body, preconditions }) {
      const now = clock.now();
      await effects.enqueue({
        id: newId.effect(),
        key,
        forge: thread.forge,
        author,
        repositoryId: thread.repositoryId,
        thread: thread.id,
        run,
        body,
        preconditions,
        state: "pending",
        attempts: 0,
        nextAttemptAt: now,
        result: null,
        error: null,
        createdAt: now,
      });
      deps.wake();
    },
    async ended(key, signal) {
      for (;;) {
        const end = endOf(await effects.getByKey(key));
        if (end !== null) return end;
        if (signal.aborted) return { state: "unfinished" };
        await changes.next(effectChange(key), lookAgainMs, signal);
      }
    },
  };
}

function endOf(effect: Effect | null): EffectEnd | null {
  if (effect === null) throw new Error("an effect that was stored is not on record any more");
  if (effect.state === "done" && effect.result !== null) return { state: "done", result: effect.result };
  if (effect.state === "superseded" || effect.state === "parked")
    return { state: effect.state, error: effect.error ?? "" };
  return null;
}
