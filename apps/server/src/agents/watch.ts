import type { Timers } from "../domain/timers.ts";
import type { AgentMessage, AgentSession, ResultMessage } from "./agent-runtime.ts";
import type { Bounds, Seen, Stop } from "./seen.ts";

interface Watch extends Disposable {
  /** After the message was noted. */
  heard(message: AgentMessage): void;
  /** The agent takes no message any more: it is done, or was asked to end. */
  closed(): boolean;
}

/** A person who stops an agent is not kept waiting. */
const interruptGraceMs = 2_000;

/**
 * Ends a process that is late, silent, refused or no longer wanted, and closes the input of one that is done. A turn's end
 * is not the run's: while background tasks are under way, another turn can follow.
 */
export function watchOver(
  live: AgentSession,
  seen: Seen,
  bounds: Bounds,
  timers: Timers,
  signal: AbortSignal,
  /** How many messages were sent after the prompt and are not answered. */
  unanswered: () => number,
): Watch {
  let closed = false;
  let cancelKill = () => {};
  let cancelSilence = timers.after(bounds.stallMs, onSilence);
  const cancelDeadline = timers.after(bounds.deadlineMs, () => stop("deadline"));
  const onAbort = () => stop("interrupted");
  signal.addEventListener("abort", onAbort);

  function stop(reason: Stop): void {
    if (seen.stop !== null) return;
    seen.stop = reason;
    if (reason === "stalled" || reason === "unauthorized") return live.kill();
    live.interrupt();
    const graceMs = reason === "interrupted" ? Math.min(bounds.graceMs, interruptGraceMs) : bounds.graceMs;
    cancelKill = timers.after(graceMs, () => live.kill());
  }

  function close(): void {
    if (!closed) live.end();
    closed = true;
  }

  // A finished background task begins a turn of its own at once; a stopped one may not, and one that never ends (a server) never does.
  const quietMs = () => (seen.resting && (closed || seen.tasks === 0) ? bounds.graceMs : bounds.stallMs);

  const isDone = ({ queued }: ResultMessage) => queued === 0 && seen.tasks === 0 && unanswered() === 0;

  function onSilence(): void {
    if (!seen.resting) return stop("stalled");
    if (closed || seen.tasks > 0) return live.kill();
    close();
    cancelSilence = timers.after(bounds.graceMs, onSilence);
  }

  return {
    closed: () => closed || seen.stop !== null,
    heard(message) {
      if (message.kind === "api-retry" && isRefusal(message.status)) return stop("unauthorized");
      if (message.kind === "result" && (seen.stop !== null || isDone(message))) close();
      cancelSilence();
      cancelSilence = timers.after(quietMs(), onSilence);
    },
    [Symbol.dispose]() {
      signal.removeEventListener("abort", onAbort);
      for (const cancel of [cancelSilence, cancelDeadline, cancelKill]) cancel();
    },
  };
}

/** The agent would try a refused key again for minutes. */
const isRefusal = (status: number | null): boolean => status === 401 || status === 403;
