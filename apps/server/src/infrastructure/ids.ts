import type { DeliveryId, EffectId, EventId, RunId, TaskId, ThreadId } from "../domain/ids.ts";

let last = "";

/** UUIDv7 text (RFC 9562) that sorts after every earlier one of this process, also when the clock is set back. */
function next(): string {
  last = idAfter(last, Bun.randomUUIDv7());
  return last;
}

/** New ids of ours, by what they name. */
export const newId = {
  delivery: () => next() as DeliveryId,
  event: () => next() as EventId,
  thread: () => next() as ThreadId,
  task: () => next() as TaskId,
  run: () => next() as RunId,
  effect: () => next() as EffectId,
};

/** `candidate` where it sorts after `previous`, else an id one millisecond after `previous`. */
export function idAfter(previous: string, candidate: string): string {
  return candidate > previous ? candidate : Bun.randomUUIDv7("hex", timeOf(previous) + 1);
}

/** The first 48 bits are milliseconds since the epoch (RFC 9562, 5.7). */
const timeOf = (id: string): number => Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
