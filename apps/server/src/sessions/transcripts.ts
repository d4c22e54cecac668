import { randomUUID } from "node:crypto";
import type { Log } from "../domain/log.ts";
import type { Timers } from "../domain/timers.ts";
import type {
  StoredEntry,
  TranscriptEntry,
  TranscriptFound,
  TranscriptRef,
  TranscriptSize,
} from "../domain/transcript.ts";
import { isConversation, keyOf, parseLine, type TranscriptLine } from "./transcripts-lines.ts";

export interface TranscriptReader {
  page(ref: TranscriptRef, subpath: string, page: { after: number; limit: number }): Promise<StoredEntry[]>;
  subpaths(ref: TranscriptRef): Promise<string[]>;
  size(ref: TranscriptRef): Promise<TranscriptSize | null>;
}

export interface TranscriptWriter {
  append(ref: TranscriptRef, subpath: string, entries: readonly TranscriptEntry[]): Promise<TranscriptSize>;
}

export interface MirrorDeps {
  store: TranscriptReader & TranscriptWriter;
  timers: Timers;
  log: Log;
  /** A batch could not be stored this time. */
  onFailure(): void;
  /** Lines were passed for another session or project than the run's own. */
  onForged(): void;
  /** Once, when the transcript reaches its limit. */
  onFull(size: TranscriptSize): void;
}

/** How the SDK names a transcript: session's own where `subpath` is left out, else a sub-agent's. */
export interface TranscriptKey {
  projectKey: string;
  sessionId: string;
  subpath?: string | undefined;
}

/** What the SDK calls a session store, for one session of one lane; whatever names another one is refused. */
export interface TranscriptMirror {
  append(key: TranscriptKey, lines: readonly TranscriptLine[]): Promise<void>;
  load(key: TranscriptKey): Promise<TranscriptLine[] | null>;
  listSubkeys(key: TranscriptKey): Promise<string[]>;
  /** Takes no more, and tries once more what could not be stored. False where something is missing in the end. */
  settle(): Promise<boolean>;
}

/** How the agent's runtime names the folder of a working directory (SDK 0.3.330; longer than 200 characters it adds a hash). */
export const projectKeyOf = (cwd: string): string => cwd.replace(/[^a-zA-Z0-9]/g, "-");

/** Lines that may wait for a database that does not answer, bytes; beyond it they are left to the local transcript. */
const maxWaitingBytes = 16 * 1024 * 1024;
const settleDelaysMs = [200, 800];
/** How long the agent's own stream waits for the database: each batch, unless one waits already. */
const patienceMs = 2_000;
/** A database that does not answer does not hold the end of a run up for longer. */
const settleMs = 30_000;

interface Waiting {
  subpath: string;
  entries: TranscriptEntry[];
  bytes: number;
}

export function openMirror(deps: MirrorDeps, ref: TranscriptRef, projectKey: string): TranscriptMirror {
  const isOwn = (key: TranscriptKey): boolean =>
    key.projectKey === projectKey && key.sessionId === ref.session && isSafe(key.subpath ?? "");
  const queue = new MirrorQueue(deps, ref);
  const refuse = (key: TranscriptKey, what: string): void => {
    deps.onForged();
    const fields = { lane: ref.lane, session: ref.session, asked: JSON.stringify(key).slice(0, 500) };
    deps.log.warn(fields, what);
  };
  return {
    async append(key, lines) {
      // Not by an error: the SDK would try it again, and report what was never ours as lost.
      if (!isOwn(key)) return refuse(key, "transcript lines for another session were refused");
      await queue.add(key.subpath ?? "", lines);
    },
    async load(key) {
      if (isOwn(key)) return await loadLines(deps, ref, key.subpath ?? "");
      refuse(key, "another session's transcript was not given out");
      return null;
    },
    async listSubkeys(key) {
      return isOwn(key) ? (await deps.store.subpaths(ref)).filter(isSafe) : [];
    },
    settle: () => queue.settle(),
  };
}

/** A relative path that leads nowhere else: the SDK makes a file name of it. */
export const isSafe = (subpath: string): boolean =>
  subpath === "" ||
  (/^[\w.-]+(\/[\w.-]+)*$/.test(subpath) && subpath.length <= 300 && !/(^|\/)\.\.?(\/|$)/.test(subpath));

/**
 * Keeps the order: what could not be stored goes first when the next batch comes. A failure is not passed on to the SDK,
 * which would try each batch three times for a second while the agent's results wait behind it, and then drop it.
 */
class MirrorQueue {
  readonly #deps: MirrorDeps;
  readonly #ref: TranscriptRef;
  readonly #waiting: Waiting[] = [];
  readonly #writer = randomUUID();
  #batches = 0;
  #bytes = 0;
  #full = false;
  #lost = false;
  #closed = false;
  #failing = false;
  #late = false;
  #storing: Promise<void> | null = null;

  constructor(deps: MirrorDeps, ref: TranscriptRef) {
    this.#deps = deps;
    this.#ref = ref;
  }

  async add(subpath: string, lines: readonly TranscriptLine[]): Promise<void> {
    if (this.#full || this.#lost || this.#closed) return;
    this.#enqueue(subpath, lines);
    const stored = this.#stored();
    if (this.#late) return;
    const patience = Promise.withResolvers<void>();
    const cancel = this.#deps.timers.after(patienceMs, () => {
      this.#late = true;
      patience.resolve();
    });
    await Promise.race([stored, patience.promise]);
    cancel();
  }

  async settle(): Promise<boolean> {
    this.#closed = true;
    const late = Promise.withResolvers<false>();
    const cancel = this.#deps.timers.after(settleMs, () => late.resolve(false));
    const stored = await Promise.race([this.#storeInTheEnd(), late.promise]);
    cancel();
    return stored && !this.#lost;
  }

  async #storeInTheEnd(): Promise<boolean> {
    for (const delay of settleDelaysMs) {
      if (await this.#stored()) return true;
      await new Promise<void>((resolve) => this.#deps.timers.after(delay, resolve));
    }
    return await this.#stored();
  }

  #stored(): Promise<boolean> {
    return this.#store().then(
      () => true,
      () => false,
    );
  }

  #enqueue(subpath: string, lines: readonly TranscriptLine[]): void {
    const batch = (this.#batches += 1);
    const entries = lines.map((line, index) => ({
      key: keyOf(line, `${this.#writer}/${batch}/${index}`),
      json: JSON.stringify(line),
    }));
    const bytes = entries.reduce((sum, { json }) => sum + json.length, 0);
    this.#bytes += bytes;
    if (this.#bytes <= maxWaitingBytes || this.#waiting.length === 0) {
      this.#waiting.push({ subpath, entries, bytes });
      return;
    }
    this.#lost = true;
    this.#waiting.length = 0;
    this.#deps.log.error({ ...this.#ref }, "the transcript has a gap until the run ends: too much waits to be stored");
  }

  #store(): Promise<void> {
    this.#storing ??= this.#work().finally(() => {
      this.#storing = null;
      this.#late = false;
    });
    return this.#storing;
  }

  async #work(): Promise<void> {
    for (let batch = this.#waiting[0]; batch !== undefined; batch = this.#waiting[0]) {
      const size = await this.#write(batch);
      this.#waiting.shift();
      this.#bytes -= batch.bytes;
      if (!size.full) continue;
      this.#full = true;
      this.#waiting.length = 0;
      this.#deps.onFull(size);
    }
  }

  async #write({ subpath, entries }: Waiting): Promise<TranscriptSize> {
    try {
      const size = await this.#deps.store.append(this.#ref, subpath, entries);
      this.#failing = false;
      return size;
    } catch (error) {
      this.#deps.onFailure();
      const fields = { ...this.#ref, subpath, lines: entries.length, error };
      if (!this.#failing)
        this.#deps.log.warn(fields, "transcript lines could not be stored; they are tried again with the next ones");
      this.#failing = true;
      throw error;
    }
  }
}

const pageSize = 200;

async function loadLines({ store, log }: MirrorDeps, ref: TranscriptRef, subpath: string) {
  const lines: TranscriptLine[] = [];
  let unreadable = 0;
  for await (const entry of entriesOf(store, ref, subpath)) {
    const line = parseLine(entry.json);
    if (line === null) unreadable += 1;
    else lines.push(line);
  }
  if (unreadable > 0)
    log.warn({ ...ref, subpath, unreadable }, "unreadable transcript lines were left out of a resume");
  return lines.length === 0 ? null : lines;
}

/** In order, page by page. */
export async function* entriesOf(
  store: Pick<TranscriptReader, "page">,
  ref: TranscriptRef,
  subpath: string,
): AsyncGenerator<StoredEntry> {
  let after = -1;
  for (;;) {
    const page = await store.page(ref, subpath, { after, limit: pageSize });
    yield* page;
    if (page.length < pageSize) return;
    after = page.at(-1)?.seq ?? after;
  }
}

/** Whether a session can be resumed from what is stored, found in milliseconds: it reads no further than the first thing that was said. */
export async function lookAtTranscript(
  store: Pick<TranscriptReader, "page" | "size">,
  ref: TranscriptRef,
): Promise<TranscriptFound> {
  const size = await store.size(ref);
  if (size?.full === true) return { kind: "full", detail: `${megabytes(size.bytes)}, more than one session may take` };
  let entries = 0;
  for await (const { json } of entriesOf(store, ref, "")) {
    entries += 1;
    if (isConversation(parseLine(json))) return { kind: "readable" };
  }
  const detail = entries === 0 ? "nothing of it is stored" : `none of its ${entries} stored lines can be read`;
  return { kind: "missing", detail };
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`;
