import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { ForgeError } from "../domain/forge.ts";
import { type Clock, laneKey, laneParts } from "../domain/ids.ts";
import type { Log } from "../domain/log.ts";
import type { SessionRecord } from "../domain/session.ts";
import type { Thread } from "../domain/thread.ts";
import type { SessionRecords } from "../infrastructure/database/session-records.ts";
import type { ThreadStore } from "../infrastructure/database/threads.ts";
import { readSessionFile, type SessionEntry, type SessionFileContent } from "../sessions/records.ts";
import type { ForgeUsers } from "./forges.ts";
import type { SessionStores } from "./session-stores.ts";

/** What became of a sessions file; keys as they stand in it. */
export interface ImportReport {
  imported: string[];
  /** Older than their maximum age: they would be dropped at once. */
  expired: string[];
  /** The lane has a session that was used as late or later. */
  older: string[];
  /** What is wrong with others, each with its place or its key. */
  faults: string[];
  /** Where the forge could not be asked: another try can help. */
  unasked: string[];
}

export interface SessionFilesDeps {
  config: Pick<Config, "agents" | "repositories" | "stateDir">;
  clock: Clock;
  log: Log;
  users: Pick<ForgeUsers, "service">;
  sessions: Pick<SessionStores, "maxAgeMs">;
  records: SessionRecords;
  threads: Pick<ThreadStore, "get" | "threadOf" | "ensureThread">;
}

type Outcome = Exclude<keyof ImportReport, "faults">;
const page = 500;

/** Sessions in and out as files, keyed as people name lanes. */
export class SessionFiles {
  readonly #deps: SessionFilesDeps;

  constructor(deps: SessionFilesDeps) {
    this.#deps = deps;
  }

  /** Can be repeated: what is there already, or was used later, stays. Null where the text is no sessions file; then nothing happens. */
  async import(text: string, file: string): Promise<ImportReport | { unreadable: string }> {
    const found = readSessionFile(text, file);
    if (found.kind === "unreadable") return { unreadable: found.fault };
    const report: ImportReport = { imported: [], expired: [], older: [], faults: [...found.faults], unasked: [] };
    const names = new RepositoryNames(this.#deps);
    for (const entry of found.entries) {
      try {
        report[await this.#take(entry, names)].push(entry.key);
      } catch (error) {
        if (error instanceof ForgeError && error.kind !== "not-found")
          report.unasked.push(`${entry.key}: ${error.message}`);
        else if (error instanceof ForgeError || error instanceof Refused)
          report.faults.push(`"${entry.key}": ${error.message}`);
        else throw error;
      }
    }
    return report;
  }

  async export(): Promise<SessionFileContent> {
    const named: { thread: Thread; session: SessionRecord; agentType: string }[] = [];
    for await (const session of this.#all()) {
      const { agentType, thread: id } = laneParts(session.lane);
      const thread = await this.#deps.threads.get(id);
      if (thread !== null && session.ageMs <= this.#deps.sessions.maxAgeMs(agentType))
        named.push({ thread, session, agentType });
    }
    const forges = new Map<string, Set<string>>();
    for (const { thread } of named)
      forges.set(thread.repository, (forges.get(thread.repository) ?? new Set()).add(thread.forge));
    return Object.fromEntries(
      named.map(({ thread, session, agentType }) => {
        const ambiguous = (forges.get(thread.repository)?.size ?? 0) > 1;
        const name = `${ambiguous ? `${thread.forge}/` : ""}${thread.repository}#${thread.number}`;
        return [`${agentType}:${name}`, { id: session.id, last_used_at: session.lastUsedAt }];
      }),
    );
  }

  /** At start: takes in the `sessions.json` of an earlier system and renames it, unless another start can do more. */
  async importLegacy(): Promise<void> {
    const { log, config, clock } = this.#deps;
    const path = join(config.stateDir, "sessions.json");
    if (!existsSync(path)) return;
    const report = await this.import(readFileSync(path, "utf8"), "sessions.json");
    if ("unreadable" in report) {
      log.error(
        { path, fault: report.unreadable },
        "nothing was imported: mend the file, or move it away; the next start tries again",
      );
      return;
    }
    const { imported, expired, older, faults, unasked } = report;
    const counts = { path, imported: imported.length, expired: expired.length, older: older.length };
    for (const fault of faults) log.error({ path, fault }, "a session could not be imported; it stays in the file");
    if (unasked.length > 0) {
      log.error(
        { ...counts, unasked },
        "the forge cannot be asked about some sessions: the file stays, and the next start tries again",
      );
      return;
    }
    const kept = freeName(`${path}.imported-${new Date(clock.now()).toISOString().slice(0, 10)}`);
    renameSync(path, kept);
    log.info({ ...counts, kept }, "the sessions of the earlier system are imported; their file is kept");
  }

  async #take(entry: SessionEntry, names: RepositoryNames): Promise<Outcome> {
    const { config, clock, sessions, records } = this.#deps;
    if (config.agents[entry.agentType] === undefined)
      throw new Refused(`there is no agent type "${entry.agentType}" in the configuration`);
    const repository = await names.find(entry);
    if (clock.now() - entry.lastUsedAt > sessions.maxAgeMs(entry.agentType)) return "expired";
    const thread = await this.#threadOf(entry, repository);
    const lane = laneKey(entry.agentType, thread.id);
    const taken = await records.put({ lane, id: entry.id, lastUsedAt: entry.lastUsedAt });
    return taken ? "imported" : "older";
  }

  /** The forge says what the number is: an issue, or a pull request, to which other rules apply. */
  async #threadOf({ number }: SessionEntry, { forge, id, name }: Named): Promise<Thread> {
    const known = await this.#deps.threads.threadOf(forge, id, number);
    if (known !== null) return known;
    const { kind } = await this.#deps.users.service(forge).issue(name, number);
    return await this.#deps.threads.ensureThread({ forge, repositoryId: id, repository: name, number, kind });
  }

  async *#all(): AsyncGenerator<SessionRecord> {
    for (let after: SessionRecord["lane"] | undefined; ; ) {
      const sessions = await this.#deps.records.list({ limit: page, ...(after === undefined ? {} : { after }) });
      yield* sessions;
      if (sessions.length < page) return;
      after = sessions.at(-1)?.lane;
    }
  }
}

class Refused extends Error {
  override readonly name = "Refused";
}

interface Named {
  forge: Thread["forge"];
  id: number;
  name: string;
}

/** Watched repositories by their names of today: the configuration knows numbers. Each is asked for once. */
class RepositoryNames {
  readonly #deps: Pick<SessionFilesDeps, "config" | "users">;
  #names: Promise<Named[]> | null = null;

  constructor(deps: Pick<SessionFilesDeps, "config" | "users">) {
    this.#deps = deps;
  }

  async find({ forge, repository }: SessionEntry): Promise<Named> {
    this.#names ??= Promise.all(this.#deps.config.repositories.map(async (watched) => await this.#name(watched)));
    const wanted = (await this.#names).filter(
      (named) => named.name.toLowerCase() === repository.toLowerCase() && (forge === null || named.forge === forge),
    );
    const [only] = wanted;
    if (only === undefined) throw new Refused(`${repository} is not among the watched repositories`);
    if (wanted.length === 1) return only;
    throw new Refused(
      `several forges have a ${repository}: write ${wanted.map((named) => `${named.forge}/${named.name}`).join(" or ")}`,
    );
  }

  async #name({ forge, id }: { forge: Thread["forge"]; id: number }): Promise<Named> {
    return { forge, id, name: (await this.#deps.users.service(forge).repository(id)).name };
  }
}

function freeName(wanted: string): string {
  for (let more = 0; ; more += 1) {
    const name = more === 0 ? wanted : `${wanted}-${more}`;
    if (!existsSync(name)) return name;
  }
}
