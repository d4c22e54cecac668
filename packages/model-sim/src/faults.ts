import type { Place } from "./match.ts";
import type { ErrorStatus, Fault } from "./script.ts";

/** A fault by handle: those of a script, and a delay before the scripted answer. `times` is 1 when left out. */
export type NextFault = Fault | { delayMs: number; times?: number };

export type ActiveFault =
  | { kind: "status"; status: ErrorStatus; message: string; headers: Record<string, string> }
  | { kind: "cut" }
  | { kind: "silence" }
  | { kind: "delay"; delayMs: number };

export interface Faults {
  /** Faults for the coming scripted requests, in the order of the calls; before whatever their step says. */
  next(fault: NextFault): void;
  /** Forgets the faults of `next` that did not happen yet. */
  clear(): void;
}

/** The faults that are due; counts them down. */
export interface FaultSource extends Faults {
  takeNext(): ActiveFault | undefined;
  takeScripted(place: Place, fault: Fault | undefined): ActiveFault | undefined;
}

export function openFaults(): FaultSource {
  let queue: { fault: ActiveFault; left: number }[] = [];
  const happened = new Map<string, number>();
  return {
    next(fault) {
      queue.push({ fault: activate(fault), left: timesOf(fault) ?? 1 });
    },
    clear() {
      queue = [];
    },
    takeNext() {
      const head = queue[0];
      if (!head) return undefined;
      head.left -= 1;
      if (head.left <= 0) queue.shift();
      return head.fault;
    },
    takeScripted(place, fault) {
      if (fault === undefined) return undefined;
      const key = JSON.stringify([place.agent, place.turn, place.step]);
      const before = happened.get(key) ?? 0;
      if (before >= (timesOf(fault) ?? Number.POSITIVE_INFINITY)) return undefined;
      happened.set(key, before + 1);
      return activate(fault);
    },
  };
}

function timesOf(fault: NextFault): number | undefined {
  return typeof fault === "string" ? undefined : fault.times;
}

function activate(fault: NextFault): ActiveFault {
  if (typeof fault === "string") return { kind: fault };
  if ("cut" in fault) return { kind: "cut" };
  if ("silence" in fault) return { kind: "silence" };
  if ("delayMs" in fault) return { kind: "delay", delayMs: fault.delayMs };
  const { status, headers = {} } = fault;
  return { kind: "status", status, message: fault.message ?? messages[status], headers };
}

/** The words of the Messages API, as far as a client looks at them. */
const messages: Record<ErrorStatus, string> = {
  400: "the script refuses this request",
  401: "invalid x-api-key",
  403: "your API key does not have permission to use the specified resource",
  404: "model: not found",
  413: "request exceeds the maximum size",
  429: "this request would exceed your rate limit",
  500: "internal server error",
  529: "overloaded",
};
