import type { ModelRequest } from "./log.ts";
import type { Script } from "./script.ts";

/** Named points of a script at which an answer waits until a test opens them; an opened gate stays open. */
export interface Gates {
  open(name: string): void;
  /** Resolves when the gate is open, or when `gone` says that nobody waits for the answer any more. */
  pass(name: string, request: ModelRequest, gone: Promise<void>): Promise<void>;
  /** The request that waits at the gate now, or the next that comes to it. Rejects when the gates are closed first. */
  arrival(name: string): Promise<ModelRequest>;
  close(): void;
}

interface Gate {
  opened: PromiseWithResolvers<void>;
  waiting: Set<ModelRequest>;
  watchers: PromiseWithResolvers<ModelRequest>[];
}

export function openGates(script: Script): Gates {
  const steps = script.agents.flatMap((agent) => agent.turns).flatMap((turn) => turn.steps);
  const names = steps.flatMap((step) => step.gate ?? []);
  const gates = new Map<string, Gate>(
    names.map((name) => [name, { opened: Promise.withResolvers(), waiting: new Set(), watchers: [] }]),
  );
  const find = (name: string): Gate => {
    const gate = gates.get(name);
    if (!gate) throw new Error(`script "${script.name}" has no gate "${name}"; it has ${names.join(", ") || "none"}`);
    return gate;
  };
  return {
    open: (name) => find(name).opened.resolve(),
    async pass(name, request, gone) {
      const gate = find(name);
      gate.waiting.add(request);
      for (const watcher of gate.watchers.splice(0)) watcher.resolve(request);
      await Promise.race([gate.opened.promise, gone]);
      gate.waiting.delete(request);
    },
    arrival(name) {
      const gate = find(name);
      const [waiting] = gate.waiting;
      if (waiting) return Promise.resolve(waiting);
      const watcher = Promise.withResolvers<ModelRequest>();
      gate.watchers.push(watcher);
      return watcher.promise;
    },
    close() {
      for (const [name, gate] of gates) {
        const error = new Error(`model-sim closed before a request came to the gate "${name}"`);
        for (const watcher of gate.watchers.splice(0)) watcher.reject(error);
      }
    },
  };
}
