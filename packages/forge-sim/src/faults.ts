/** Which requests a fault touches. */
export interface RequestMatch {
  method?: string;
  /** A string is looked for in the path; a pattern is matched against it. The query is no part of it. */
  path?: string | RegExp;
  /** How often; default once. */
  times?: number;
}

/** Which webhook deliveries a fault touches. */
export interface DeliveryMatch {
  /** As in `X-Forgejo-Event-Type`. */
  eventType?: string;
  action?: string;
  times?: number;
}

/** A fault that was set. */
export interface Fault {
  /** How often it has struck. */
  readonly hits: number;
  /** Takes it away; what it holds goes on. */
  remove(): void;
}

/** A fault that holds requests back until `remove()`. */
export interface Hold extends Fault {
  /** Resolves when the first request is held. */
  readonly reached: Promise<void>;
}

type Kind =
  | { kind: "drop-reply" }
  | { kind: "fail"; status: number; body: unknown }
  | { kind: "delay"; ms: number }
  | { kind: "hold"; until: Promise<void>; reached: () => void };

interface Rule {
  kind: Kind;
  match: RequestMatch;
  left: number;
  hits: number;
}

export interface Plan {
  /** Answer this and do nothing. */
  refuse: { status: number; body: unknown } | undefined;
  dropReply: boolean;
  waits: (() => Promise<void>)[];
}

/** The faults that a test asked for; each strikes `times` times, then is spent. */
export class Faults {
  #rules: Rule[] = [];
  #drops: { match: DeliveryMatch; left: number; hits: number }[] = [];

  /** The change is made, then the connection is cut without an answer. */
  dropReply(match: RequestMatch): Fault {
    return this.#add(match, { kind: "drop-reply" });
  }

  /** Answers with `status`, and makes no change. */
  fail(match: RequestMatch & { status: number; body?: unknown }): Fault {
    return this.#add(match, { kind: "fail", status: match.status, body: match.body });
  }

  /** Lets the request wait before it is looked at. */
  delay(match: RequestMatch & { ms: number }): Fault {
    return this.#add(match, { kind: "delay", ms: match.ms });
  }

  /** Lets requests wait until `remove()`; without `times`, all of them. */
  hold(match: RequestMatch): Hold {
    const gate = Promise.withResolvers<void>();
    const first = Promise.withResolvers<void>();
    const fault = this.#add(
      { times: Number.POSITIVE_INFINITY, ...match },
      { kind: "hold", until: gate.promise, reached: () => first.resolve() },
    );
    return {
      reached: first.promise,
      get hits() {
        return fault.hits;
      },
      remove: () => {
        fault.remove();
        gate.resolve();
      },
    };
  }

  /** Loses webhooks: they are recorded as `dropped` and never sent. Without `times`, all of them. */
  dropDeliveries(match: DeliveryMatch = {}): Fault {
    const rule = { match, left: match.times ?? Number.POSITIVE_INFINITY, hits: 0 };
    this.#drops.push(rule);
    return asFault(rule, () => (this.#drops = this.#drops.filter((other) => other !== rule)));
  }

  /** What is to happen to this request; counts each fault that strikes. */
  plan(method: string, path: string): Plan {
    const plan: Plan = { refuse: undefined, dropReply: false, waits: [] };
    for (const rule of this.#rules) {
      if (rule.left <= 0 || !matches(rule.match, method, path)) continue;
      rule.left -= 1;
      rule.hits += 1;
      strike(plan, rule.kind);
    }
    return plan;
  }

  /** Whether this delivery is lost; counts it. */
  losesDelivery(eventType: string, action: string | undefined): boolean {
    const rule = this.#drops.find(
      ({ match, left }) =>
        left > 0 &&
        (match.eventType === undefined || match.eventType === eventType) &&
        (match.action === undefined || match.action === action),
    );
    if (!rule) return false;
    rule.left -= 1;
    rule.hits += 1;
    return true;
  }

  #add(match: RequestMatch, kind: Kind): Fault {
    const rule: Rule = { kind, match, left: match.times ?? 1, hits: 0 };
    this.#rules.push(rule);
    return asFault(rule, () => (this.#rules = this.#rules.filter((other) => other !== rule)));
  }
}

function asFault(rule: { hits: number }, remove: () => unknown): Fault {
  return {
    get hits() {
      return rule.hits;
    },
    remove: () => void remove(),
  };
}

function strike(plan: Plan, kind: Kind): void {
  switch (kind.kind) {
    case "drop-reply":
      plan.dropReply = true;
      return;
    case "fail":
      plan.refuse = { status: kind.status, body: kind.body };
      return;
    case "delay":
      plan.waits.push(() => new Promise((resolve) => setTimeout(resolve, kind.ms)));
      return;
    case "hold":
      kind.reached();
      plan.waits.push(() => kind.until);
      return;
    default:
      return kind satisfies never;
  }
}

function matches(match: RequestMatch, method: string, path: string): boolean {
  if (match.method !== undefined && match.method.toUpperCase() !== method) return false;
  if (match.path === undefined) return true;
  return typeof match.path === "string" ? path.includes(match.path) : match.path.test(path);
}
