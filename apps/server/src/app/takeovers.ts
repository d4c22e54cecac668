import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Takeover } from "@claude-hooks/api";
import { claudeEnvironment, claudeTerminal } from "../agents/claude.ts";
import type { Broker } from "../broker/client.ts";
import type { Config } from "../config/config.ts";
import { type LaneKey, laneKey } from "../domain/ids.ts";
import type { Log } from "../domain/log.ts";
import type { Session } from "../domain/session.ts";
import { DeskError, type TakeoverDesk } from "../http/sessions.ts";
import type { Handle } from "../infrastructure/database/handle.ts";
import { createHoldStore, type HoldStore } from "../infrastructure/database/lane-holds.ts";
import { createLaneLife } from "../infrastructure/database/lane-life.ts";
import { createRunStore } from "../infrastructure/database/runs.ts";
import { createSessionRecords } from "../infrastructure/database/session-records.ts";
import { createTaskStore } from "../infrastructure/database/tasks.ts";
import { processesWithArgument } from "../infrastructure/process-list.ts";
import { inside } from "../jail/inside.ts";
import type { Jail } from "../jail/jail.ts";
import { systemPrompt } from "../sessions/system-prompt.ts";
import type { Mirrors } from "../workdir/mirror.ts";
import type { FoundLane, LaneNames } from "./lane-names.ts";
import type { SessionStores } from "./session-stores.ts";
import { answerFirstQuestions } from "./takeover-home.ts";
import type { LaneTranscripts } from "./transcripts.ts";

export interface TakeoversDeps {
  config: Config;
  log: Log;
  db: Handle;
  jail: Jail;
  mirrors: Mirrors;
  broker: Pick<Broker, "open" | "close">;
  sessions: SessionStores;
  transcripts: Pick<LaneTranscripts, "layOut" | "settle">;
  names: LaneNames;
  /** Ends the agent of the run that is under way in the lane; its task waits. */
  stopRun(lane: LaneKey, why: string): void;
  wake(lane: LaneKey): void;
}

const socketName = "model.sock";

/** Lanes that a person holds: no run starts, the session's age stands still, and what is said in the thread waits. */
export class Takeovers implements TakeoverDesk {
  readonly #deps: TakeoversDeps;
  readonly #holds: HoldStore;

  constructor(deps: TakeoversDeps) {
    this.#deps = deps;
    this.#holds = createHoldStore(deps.db);
  }

  /** At start: terminals that outlived the service reach the model again. */
  async start(): Promise<void> {
    for (const { lane, kind } of await this.#holds.list()) {
      if (kind !== "takeover" || (await this.#terminalsOf(lane)).length === 0) continue;
      const found = await this.#deps.names.ofKey(lane);
      if (found !== null) await this.#openSocket(found);
    }
  }

  async hold({ thread, agent, stop }: Parameters<TakeoverDesk["hold"]>[0]): Promise<Takeover> {
    const lane = await this.#laneOf(thread, agent);
    const session = await this.#sessionOf(lane);
    if ((await createLaneLife(this.#deps.db).archivedAt(lane.thread.id)) !== null)
      throw new DeskError(409, `${lane.label} is over: reopen its issue first`);
    await this.#holds.hold(lane.key, "takeover");
    const hold = await this.#holds.get(lane.key);
    if (hold?.kind !== "takeover")
      throw new DeskError(409, `the checkout of ${lane.label} is being put away at this moment: try again in a while`);
    await createLaneLife(this.#deps.db).settleAge(lane.key);
    const run = await this.#runOf(lane.key);
    if (run !== null && stop) this.#deps.stopRun(lane.key, "a person takes its lane over");
    this.#deps.log.info({ lane: lane.key, runId: run?.id ?? null }, "a person holds the lane");
    return { lane: lane.label, session: session.id, held_since: hold.since, run };
  }

  async open(name: string, terminal: string): ReturnType<TakeoverDesk["open"]> {
    const lane = await this.#held(name, null);
    const run = await this.#runOf(lane.key);
    if (run !== null) throw new DeskError(409, `a run of ${lane.label} is still ${run.state}: wait for its end`);
    const [pid] = await this.#terminalsOf(lane.key);
    if (pid !== undefined) throw new DeskError(409, `the session of ${lane.label} is open already, in process ${pid}`);
    const session = await this.#sessionOf(lane);
    const { jail, config, transcripts, mirrors } = this.#deps;
    const folders = await jail.openLane(lane.key);
    if (readdirSync(folders.checkout).length === 0)
      throw new DeskError(409, `${lane.label} has no checkout: hand it back, and let a run make one first`);
    if (!(await transcripts.layOut(folders, session.id)))
      throw new DeskError(
        409,
        `the transcript of ${lane.label} is missing: hand it back, and its next run starts fresh`,
      );
    answerFirstQuestions(folders);
    await this.#openSocket(lane);
    const mirror = mirrors.mirror(lane.thread.forge, lane.thread.repositoryId).path;
    const opened = await jail.openLane(lane.key, { mirror, sockets: join(folders.dir, "broker") });
    const { model, tools } = this.#agentOf(lane);
    const prompt = systemPrompt({ agentType: lane.agentType, repository: lane.thread.repository });
    const env = {
      ...claudeEnvironment({
        home: inside.home,
        brokerSocket: `${inside.sockets}/${socketName}`,
        credential: config.model.credential.kind,
      }),
      TERM: /^[\w.+-]{1,64}$/.test(terminal) ? terminal : "xterm-256color",
      DISABLE_AUTOUPDATER: "1",
    };
    const claude = claudeTerminal(inside.agent, { model, tools, systemPrompt: prompt, resume: session.id });
    const command = jail.terminalCommand(opened, claude, env);
    return { lane: lane.label, checkout: folders.checkout, session: session.id, command };
  }

  async handback(
    thread: string,
    { agent, force }: { agent: string | null; force: boolean },
  ): ReturnType<TakeoverDesk["handback"]> {
    const lane = await this.#held(thread, agent);
    const [pid] = await this.#terminalsOf(lane.key);
    if (pid !== undefined && !force)
      throw new DeskError(
        409,
        `the session of ${lane.label} is still open in process ${pid}: leave it first; two at once lose each other's words`,
      );
    await this.#deps.broker.close(socketOf(lane.key));
    await this.#deps.transcripts.settle(await this.#deps.jail.openLane(lane.key));
    await this.#holds.release(lane.key, "takeover");
    await createLaneLife(this.#deps.db).settleAge(lane.key);
    this.#deps.wake(lane.key);
    this.#deps.log.info({ lane: lane.key }, "a person handed the lane back");
    const waiting = await createTaskStore(this.#deps.db).list({ lane: lane.key, limit: 1 });
    return { lane: lane.label, waiting: waiting.some(({ state }) => state === "queued" || state === "parked") };
  }

  /** Where nobody says whose session is meant, there must be one only. */
  async #laneOf(name: string, agent: string | null): Promise<FoundLane> {
    const { names, config, db } = this.#deps;
    const { thread, agentType } = await names.thread(name, agent);
    const types = agentType === null ? Object.keys(config.agents) : [agentType];
    const records = createSessionRecords(db);
    const keys = types.map((type) => laneKey(type, thread.id));
    const known = await Promise.all(
      keys.map(async (key) => (await records.get(key)) !== null || (await this.#holds.get(key)) !== null),
    );
    const found = await Promise.all(keys.filter((_, index) => known[index]).map((key) => names.ofKey(key)));
    const [only, ...more] = found.filter((lane) => lane !== null);
    if (only === undefined)
      throw new DeskError(409, `no agent has a session on ${name}: there is nothing to take over, or it was dropped`);
    if (more.length === 0) return only;
    const labels = [only, ...more].map(({ label }) => label).join(", ");
    throw new DeskError(409, `several agents have a session there: say which with --agent: ${labels}`);
  }

  async #held(name: string, agent: string | null): Promise<FoundLane> {
    const lane = await this.#laneOf(name, agent);
    if ((await this.#holds.get(lane.key))?.kind === "takeover") return lane;
    throw new DeskError(
      409,
      `nobody holds ${lane.label}: take it over first, with \`claude-hooks takeover ${lane.label}\``,
    );
  }

  async #sessionOf(lane: FoundLane): Promise<Session> {
    const session = await this.#deps.sessions.of(lane.agentType).getSession(lane.key);
    if (session !== null) return session;
    throw new DeskError(409, `the session of ${lane.label} has expired or was dropped: there is nothing to take over`);
  }

  async #runOf(lane: LaneKey): Promise<Takeover["run"]> {
    const { db } = this.#deps;
    const task = await createTaskStore(db).runningIn(lane);
    if (task?.run == null) return null;
    return { id: task.run, state: (await createRunStore(db).get(task.run))?.state ?? "preparing" };
  }

  /** Processes that have the lane's checkout mounted. */
  async #terminalsOf(lane: LaneKey): Promise<number[]> {
    return processesWithArgument((await this.#deps.jail.openLane(lane)).checkout);
  }

  async #openSocket({ key }: FoundLane): Promise<void> {
    const { dir, identity } = await this.#deps.jail.openLane(key);
    await this.#deps.broker.open({ run: socketOf(key), socket: join(dir, "broker", socketName), owner: identity });
  }

  #agentOf({ agentType }: FoundLane): Config["agents"][string]["type"] {
    const agent = this.#deps.config.agents[agentType];
    if (agent === undefined) throw new DeskError(404, `there is no agent type "${agentType}" any more`);
    return agent.type;
  }
}

const socketOf = (lane: LaneKey): string => `takeover:${lane}`;
