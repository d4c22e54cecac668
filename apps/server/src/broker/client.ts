import type { OpenSocket, RequestReport } from "./protocol.ts";
import { type BrokerState, createSupervisor, type SupervisorDeps } from "./supervisor.ts";

export interface BrokerDeps extends SupervisorDeps {
  log: SupervisorDeps["log"] & { warn(fields: Record<string, unknown>, message: string): void };
}

/** The broker's process, started again when it dies, with the sockets that were open. Disposing ends it. */
export interface Broker extends AsyncDisposable {
  /** Resolves when the socket takes requests; rejects with what to do where it cannot be opened. */
  open(socket: OpenSocket): Promise<void>;
  close(run: string): Promise<void>;
  /** Told of every request that was passed on; gives back how to stop that. */
  onRequest(listener: (report: RequestReport) => void): () => void;
  /** `down`: it died again and again and was given up; the next `open` tries once more. */
  state(): BrokerState;
}

/** Rejects where the broker does not come up at all: its settings are wrong, or it cannot be started. */
export async function startBroker(deps: BrokerDeps): Promise<Broker> {
  const wanted = new Map<string, { socket: OpenSocket; opened: PromiseWithResolvers<void> }>();
  const listeners = new Set<(report: RequestReport) => void>();
  const forget = (run: string, why: string) => {
    wanted.get(run)?.opened.reject(new Error(why));
    wanted.delete(run);
  };
  const supervisor = createSupervisor(deps, {
    up: (link) => {
      for (const { socket } of wanted.values()) link.send({ open: socket });
    },
    down: (why) => {
      for (const run of wanted.keys()) forget(run, `The broker does not start, so no agent reaches the model: ${why}`);
    },
    opened: (run) => wanted.get(run)?.opened.resolve(),
    failed: (run, error) => forget(run, `The broker could not open the socket of run ${run}: ${error}`),
    request: (report) => {
      for (const listener of listeners) listener(report);
    },
    refused: (refusal) => deps.log.warn({ ...refusal }, "the broker refused an agent's request"),
  });
  await supervisor.begin();
  return {
    state: supervisor.state,
    async open(socket) {
      const opened = Promise.withResolvers<void>();
      wanted.set(socket.run, { socket, opened });
      supervisor.link()?.send({ open: socket });
      if (supervisor.state() === "down") supervisor.retry();
      await opened.promise;
    },
    async close(run) {
      forget(run, `Run ${run} ended before its socket was open.`);
      await supervisor.link()?.close(run);
    },
    onRequest(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    [Symbol.asyncDispose]: supervisor[Symbol.asyncDispose],
  };
}
