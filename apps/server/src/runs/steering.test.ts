import { describe, expect, test } from "bun:test";
import type { ForgeEvent } from "../domain/event.ts";
import type { EventId, SessionId } from "../domain/ids.ts";
import type { InboxEntry } from "../domain/inbox.ts";
import type { LiveAgent } from "../domain/live.ts";
import type { RunFailure } from "../domain/run.ts";
import type { Tier } from "../domain/tier.ts";
import { executeRun } from "./execute.ts";
import type { AgentRequest, RunDeps } from "./ports.ts";
import { assigned, comment, completed, issue, world } from "./testing/world.ts";

const never = new AbortController().signal;

const said = (id: number, tier: Tier = "writer"): InboxEntry => {
  const event: ForgeEvent = {
    ...assigned,
    id: `event-${id}` as EventId,
    kind: "comment.created",
    subject: issue(),
    comment: comment(id, "alice", "hello"),
  };
  return { event, tier };
};

type Mark = { run: string | null; told: boolean };

/** An inbox in memory that is as strict as the stored one, and an agent in a test's hands. */
function lane(work: (agent: Hands) => Promise<void>, end: "completed" | RunFailure = "completed") {
  const marks = new Map<EventId, Mark>();
  const entries = new Map<EventId, InboxEntry>();
  const add = (entry: InboxEntry): void => {
    marks.set(entry.event.id, { run: null, told: false });
    entries.set(entry.event.id, entry);
  };
  add({ event: assigned, tier: "maintainer" });
  const open = (mark: Mark, run: string | null): boolean => mark.run === run && !mark.told;
  const inbox: RunDeps["inbox"] = {
    pending: async () => [...marks].filter(([, mark]) => open(mark, null)).map(([id]) => id),
    async offer(run, _lane, events) {
      for (const id of events) if (open(marks.get(id)!, null)) marks.get(id)!.run = run;
    },
    async consume(run, events) {
      for (const id of events) if (open(marks.get(id)!, run)) marks.get(id)!.told = true;
    },
    async giveBack(run, events) {
      for (const [id, mark] of marks) if (open(mark, run) && events?.includes(id) !== false) mark.run = null;
    },
  };
  const hands = new Hands(add);
  const made = world({
    inbox,
    entries: async (ids) => ids.map((id) => entries.get(id)!),
    prompts: ({ events }) => {
      const told = events.map(({ event }) => event.id);
      hands.built();
      return { system: "", fresh: told.join(), resumed: told.join(), rebuilt: () => told.join(), told };
    },
    async runAgent(request) {
      await hands.begin(request, work);
      if (end === "completed") return completed;
      return { ...completed, kind: "failed", failure: end, session: "s" as SessionId };
    },
  });
  hands.live = () => made.live.news(made.job.run.lane);
  const waits = (): string[] => [...marks].filter(([, mark]) => open(mark, null)).map(([id]) => id);
  return { ...made, hands, waits };
}

class Hands {
  readonly pushed: string[] = [];
  prompt = "";
  live = (): void => {};
  deaf = false;
  whileBuilt: InboxEntry | null = null;
  readonly #add: (entry: InboxEntry) => void;
  #request: AgentRequest | null = null;

  constructor(add: (entry: InboxEntry) => void) {
    this.#add = add;
  }

  built(): void {
    if (this.whileBuilt !== null) this.#add(this.whileBuilt);
  }

  async begin(request: AgentRequest, work: (agent: Hands) => Promise<void>): Promise<void> {
    this.#request = request;
    this.prompt = await request.prompt({ kind: "fresh", reason: "none", detail: null });
    const agent: LiveAgent = {
      prompt: "message-0",
      push: (text) => (this.deaf ? null : `message-${this.pushed.push(text)}`),
    };
    request.live.opened(agent);
    await settled();
    await work(this);
  }

  /** A comment comes in, and the run hears of it. */
  async hear(entry: InboxEntry): Promise<void> {
    this.#add(entry);
    this.live();
    await settled();
  }

  /** A turn ends well that was given these. */
  async turn(...messages: number[]): Promise<void> {
    await this.#request?.live.told(messages.map((message) => `message-${message}`));
  }
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
};

describe("what comes while the agent works", () => {
  test("is told once, acknowledged, and not told again", async () => {
    const { deps, job, hands, waits, effects } = lane(async (agent) => {
      await agent.hear(said(2));
      await agent.turn(0, 1);
    });
    expect(await executeRun(deps, job, never)).toEqual({ kind: "succeeded" });
    expect(hands.pushed).toEqual(["news: event-2"]);
    expect(waits()).toEqual([]);
    expect(effects.filter(({ body }) => body.kind === "react")).toMatchObject([
      { author: "dev", body: { commentId: 2, content: "eyes" } },
    ]);
  });

  test("waits for the next run where the agent ended before a turn took it in", async () => {
    const { deps, job, waits } = lane(async (agent) => {
      await agent.hear(said(2));
      await agent.turn(0);
    });
    await executeRun(deps, job, never);
    expect(waits()).toEqual(["event-2"]);
  });

  test("waits for the next run where the agent takes no more", async () => {
    const { deps, job, hands, waits, effects } = lane(async (agent) => {
      agent.deaf = true;
      await agent.hear(said(2));
      await agent.turn(0);
    });
    await executeRun(deps, job, never);
    expect([hands.pushed, waits()]).toEqual([[], ["event-2"]]);
    expect(effects.filter(({ body }) => body.kind === "react")).toEqual([]);
  });

  test("of outsiders interrupts nobody, and is told together with what does", async () => {
    const { deps, job, hands } = lane(async (agent) => {
      await agent.hear(said(2, "outsider"));
      expect(agent.pushed).toEqual([]);
      await agent.hear(said(3));
      await agent.turn(0, 1);
    });
    await executeRun(deps, job, never);
    expect(hands.pushed).toEqual(["news: event-2, event-3"]);
  });
});

describe("nothing is lost, and nothing told twice,", () => {
  const crash: RunFailure = { kind: "agent-crashed", retryable: true, detail: "" };

  test("where a comment lands while the prompt is built", async () => {
    const { deps, job, hands, waits } = lane(async (agent) => agent.turn(0, 1));
    hands.whileBuilt = said(2);
    await executeRun(deps, job, never);
    expect([hands.prompt, hands.pushed, waits()]).toEqual(["event-1", ["news: event-2"], []]);
  });

  test("where the run fails before any turn was done", async () => {
    const { deps, job, waits } = lane(async (agent) => agent.hear(said(2)), crash);
    await executeRun(deps, job, never);
    expect(waits()).toEqual(["event-1", "event-2"]);
  });

  test("where the run fails after a turn was done: only what came later waits", async () => {
    const { deps, job, waits } = lane(async (agent) => {
      await agent.turn(0);
      await agent.hear(said(2));
    }, crash);
    await executeRun(deps, job, never);
    expect(waits()).toEqual(["event-2"]);
  });

  test("where the service stops", async () => {
    const stop = new AbortController();
    const { deps, job, waits } = lane(
      async (agent) => {
        await agent.hear(said(2));
        stop.abort();
      },
      { kind: "interrupted", retryable: true, detail: "" },
    );
    await executeRun(deps, job, stop.signal);
    expect(waits()).toEqual(["event-1", "event-2"]);
  });

  test("where a person stops the run: it is called off, whatever the agent managed to do", async () => {
    const { deps, job, live, waits, run } = lane(async () => live.stop(job.run.lane, "ada stopped it"));
    expect(await executeRun(deps, job, never)).toMatchObject({
      kind: "failed",
      failure: { kind: "cancelled", detail: "ada stopped it" },
    });
    expect(waits()).toEqual([]);
    expect(run().pullRequest).toBeNull();
    expect(live.has(job.run.lane)).toBe(false);
  });
});
