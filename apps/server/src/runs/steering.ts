import type { EventId } from "../domain/ids.ts";
import type { InboxEntry } from "../domain/inbox.ts";
import type { LiveAgent, LiveHooks } from "../domain/live.ts";
import type { PlaceRequest, RunDeps } from "./ports.ts";

type Deps = Pick<RunDeps, "inbox" | "entries" | "steer" | "outbox" | "log">;

/**
 * What a run's agent is told while it works, and which of it a turn has taken in. What no turn took in by the end is the
 * lane's again.
 */
export class Steering implements LiveHooks {
  readonly #deps: Deps;
  readonly #place: PlaceRequest;
  readonly #prompted: readonly EventId[];
  readonly #messages = new Map<string, readonly EventId[]>();
  #agent: LiveAgent | null = null;
  #closed = false;
  #work: Promise<void> = Promise.resolve();

  /** `prompted` are the events of the prompt. */
  constructor(deps: Deps, place: PlaceRequest, prompted: readonly EventId[]) {
    this.#deps = deps;
    this.#place = place;
    this.#prompted = prompted;
  }

  opened(agent: LiveAgent): void {
    this.#agent = agent;
    this.#messages.set(agent.prompt, this.#prompted);
    // Whatever came while the prompt was built.
    this.news();
  }

  async told(ids: readonly string[]): Promise<void> {
    const events = ids.flatMap((id) => this.#messages.get(id) ?? []);
    await this.#deps.inbox.consume(this.#place.run.id, events);
  }

  /** The lane's inbox has something new; looks at it one after the other. */
  news(): void {
    this.#work = this.#work
      .then(() => this.#tell())
      .catch((error: unknown) => {
        this.#deps.log.error(
          { runId: this.#place.run.id, error },
          "the working agent could not be told of what came; it waits for the next run",
        );
      });
  }

  /** Nothing more is told. Resolves when what was under way is done. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#work;
  }

  async #tell(): Promise<void> {
    const agent = this.#agent;
    if (agent === null || this.#closed) return;
    const { inbox, entries, steer, log } = this.#deps;
    const { run } = this.#place;
    const waiting = await entries(await inbox.pending(run.lane));
    // An outsider's words are data: they interrupt nobody, and are told together with what comes next.
    if (waiting.every(({ tier }) => tier === "outsider")) return;
    const message = steer(waiting);
    await inbox.offer(run.id, run.lane, message.told);
    const id = this.#closed ? null : agent.push(message.text);
    if (id === null) {
      await inbox.giveBack(run.id, message.told);
      return;
    }
    this.#messages.set(id, message.told);
    log.info({ runId: run.id, events: message.told }, "the working agent was told of what came");
    await this.#acknowledge(waiting.filter(({ event }) => message.told.includes(event.id)));
    if (message.told.length < waiting.length) this.news();
  }

  /** Its author sees that a comment was taken up at once. */
  async #acknowledge(told: readonly InboxEntry[]): Promise<void> {
    const { run, thread } = this.#place;
    for (const { event, tier } of told) {
      if (event.kind !== "comment.created" || tier === "outsider") continue;
      const { id: commentId, url } = event.comment;
      await this.#deps.outbox.enqueue({
        key: `event:${event.id}:taken-up:${run.agentType}`,
        author: run.agentType,
        thread,
        run: run.id,
        body: { kind: "react", commentId, content: "eyes", url },
        preconditions: [],
      });
    }
  }
}
