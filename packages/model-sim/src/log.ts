import type { Place, SideRule } from "./match.ts";
import type { Usage } from "./wire.ts";

/** One request as it came in; `outcome` and `usage` are filled in when it is answered. */
export interface ModelRequest extends Partial<Place> {
  /** 1 for the first request of this process. */
  number: number;
  /** Milliseconds since the epoch. */
  at: number;
  kind: "scripted" | SideRule | "count_tokens" | "refused" | "unexpected";
  /** Session id, with the sub-agent's id behind it where it is one. */
  conversation: string;
  /** What people said in the turn at hand, and what reached the model while a tool of that turn ran. */
  prompt: string;
  folded: readonly string[];
  /** The client's own count of tries, 0 for the first. */
  retry: number;
  /** Values of credentials are replaced by "(present)"; they stand in `credentials`, for tests. */
  headers: Readonly<Record<string, string>>;
  credentials: { apiKey?: string; authorization?: string };
  /** The parsed body; undefined when it was not JSON, or for the oldest requests (see `keepBodies`). */
  body: unknown;
  /** Part of the input (0 to 1) that is the beginning of the conversation's previous answered request. */
  prefixShare: number | undefined;
  usage: Usage | undefined;
  outcome: "pending" | "answered" | "error" | "cut" | "silent" | "gone";
  status: number | undefined;
  /** Why nobody expected it, or what it was refused for. */
  why: string | undefined;
}

/** Keeps the requests, and tells those who wait for one. */
export interface RequestLog {
  add(request: ModelRequest): void;
  /** Fills in what became of a request. */
  settle(request: ModelRequest, outcome: ModelRequest["outcome"], status?: number, usage?: Usage): void;
  all(): readonly ModelRequest[];
  /** Asks `predicate` about each request as it comes and again when it is settled. Rejects when the log is closed first. */
  wait(predicate: (request: ModelRequest) => boolean): Promise<ModelRequest>;
  close(): void;
}

interface Waiter {
  predicate: (request: ModelRequest) => boolean;
  resolve: (request: ModelRequest) => void;
  reject: (cause: Error) => void;
}

export function openLog(keepBodies: number, onRequest: (request: ModelRequest) => void): RequestLog {
  const requests: ModelRequest[] = [];
  let waiters: Waiter[] = [];
  const tell = (request: ModelRequest) => {
    const due = waiters.filter((waiter) => waiter.predicate(request));
    waiters = waiters.filter((waiter) => !due.includes(waiter));
    for (const waiter of due) waiter.resolve(request);
  };
  return {
    add(request) {
      requests.push(request);
      const old = requests[requests.length - 1 - keepBodies];
      if (old) old.body = undefined;
      onRequest(request);
      tell(request);
    },
    settle(request, outcome, status, usage) {
      Object.assign(request, { outcome, status, usage });
      tell(request);
    },
    all: () => requests,
    wait(predicate) {
      const found = requests.find(predicate);
      if (found) return Promise.resolve(found);
      return new Promise((resolve, reject) => waiters.push({ predicate, resolve, reject }));
    },
    close() {
      const came = requests.map(({ number, kind, agent, turn, step }) => `${number} ${kind} ${agent} ${turn}/${step}`);
      const error = new Error(`model-sim closed before the awaited request came; these came: ${came.join(", ")}`);
      for (const waiter of waiters) waiter.reject(error);
      waiters = [];
    },
  };
}

const secretHeaders = new Set(["x-api-key", "authorization", "proxy-authorization", "cookie"]);

export function withoutSecrets(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].map(([name, value]) => [name, secretHeaders.has(name) ? "(present)" : value]));
}

export function credentialsIn(headers: Headers): ModelRequest["credentials"] {
  const apiKey = headers.get("x-api-key");
  const authorization = headers.get("authorization");
  return { ...(apiKey !== null && { apiKey }), ...(authorization !== null && { authorization }) };
}
