import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startForge } from "@claude-hooks/forge-sim";
import type { Effect, EffectBody } from "../../domain/effect.ts";
import type { Forge } from "../../domain/forge.ts";
import type { EffectId, ForgeId } from "../../domain/ids.ts";
import { silentLog } from "../../domain/log.ts";
import { forges } from "../../forges/registry.ts";
import { type ManualClock, manualClock } from "../../infrastructure/clock.ts";
import { createEffectStore, type EffectStore } from "../../infrastructure/database/effects.ts";
import type { Database } from "../../infrastructure/database/handle.ts";
import { openDatabase } from "../../infrastructure/database/open.ts";
import { createThreadStore } from "../../infrastructure/database/threads.ts";
import { newId } from "../../infrastructure/ids.ts";
import { type EffectBook, OutboxWorker } from "../worker.ts";

const home = "home" as ForgeId;
export const at = { owner: "owner", repo: "widgets" };
const repo = "owner/widgets";
export const marker = "<!-- claude-hooks:receipt:dev -->";
export const pullMarker = "<!-- claude-hooks:pull:dev -->";

export const opening = {
  kind: "open_pull_request",
  head: "dev/1",
  base: "main",
  title: "Fix it",
  body: `${pullMarker}\n\nCloses #1`,
  marker: pullMarker,
} as const satisfies EffectBody;

export const receipt = (text: string, number = 1): EffectBody => ({
  kind: "upsert_comment",
  number,
  marker,
  body: `${marker}\n\n${text}`,
});

export type World = Awaited<ReturnType<typeof startWorld>>;
export const pulls = ({ sim }: World) => sim.pullRequests(repo);
export const comments = ({ sim }: World, number = 1) => sim.comments(repo, number).map(({ body }) => body);
export const writes = ({ sim }: World) =>
  sim.requests().filter(({ method, user, path }) => method !== "GET" && user === "dev-bot" && path.startsWith("/api"));

type Fields = Pick<Effect, "body"> & Partial<Pick<Effect, "preconditions" | "author">> & { issue?: number };

async function startSim() {
  const sim = await startForge({
    users: ["owner", "dev-bot", "mallory"],
    repos: [
      {
        owner: "owner",
        name: "widgets",
        files: { "README.md": "# widgets\n" },
        collaborators: { "dev-bot": "write", mallory: "read" },
      },
    ],
  });
  for (const title of ["First", "Second"]) await sim.as("owner").createIssue({ ...at, title });
  return sim;
}

/** A forge with two issues and a branch `dev/1` that is ready for a pull request, a database, and workers to be started. */
export async function startWorld() {
  await using parts = new AsyncDisposableStack();
  const sim = parts.use(await startSim());
  const push = () =>
    sim
      .as("dev-bot")
      .push({ ...at, branch: "dev/1", from: "main", message: "Work", files: { [`${crypto.randomUUID()}.txt`]: "x" } });
  const head = await push();
  const folder = await mkdtemp(join(tmpdir(), "effects-"));
  parts.defer(() => rm(folder, { recursive: true, force: true }));
  const clock = manualClock();
  const db = parts.use(await openDatabase(`sqlite:${join(folder, "state.db")}`, { clock }));
  const store = createEffectStore(db);
  const token = sim.createToken("dev-bot", { scopes: ["write:repository", "write:issue", "read:user"] });
  const forge = forges.forgejo.connect({ forge: home, baseUrl: sim.url, login: "dev-bot", token });
  const book = watched(store);
  const ends: string[] = [];

  const running = parts.move();
  return {
    sim,
    store,
    book,
    clock,
    token,
    head,
    push,
    ends,
    enqueue: (fields: Fields): Promise<Effect> => enqueue({ db, clock, repositoryId: sim.repositoryId(repo) }, fields),
    worker(change: Partial<EffectBook> = {}): OutboxWorker {
      const worker = makeWorker({ clock, forge, ends, effects: { ...book, ...change } });
      running.defer(async () => {
        const stopped = worker.stop();
        await clock.advance(60_000);
        await stopped;
      });
      return worker;
    },
    /** Jumps, and lets the worker's next scan come: not every one of an hour. */
    async pass(ms: number): Promise<void> {
      while (clock.pending() === 0) await Bun.sleep(0);
      clock.set(clock.now() + ms);
      await clock.advance(1_000);
    },
    stateOf: async (id: EffectId) => {
      const effect = await store.get(id);
      return {
        state: effect?.state,
        result: effect?.result ?? null,
        error: effect?.error ?? null,
        attempts: effect?.attempts,
      };
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function enqueue(
  { db, clock, repositoryId }: { db: Database; clock: ManualClock; repositoryId: number },
  { body, preconditions = [], author = "dev", issue = 1 }: Fields,
): Promise<Effect> {
  const thread = await createThreadStore(db).ensureThread({
    forge: home,
    repositoryId,
    repository: repo,
    number: issue,
    kind: "issue",
  });
  const id = newId.effect();
  return createEffectStore(db).enqueue({
    id,
    key: id,
    forge: home,
    author,
    repositoryId,
    thread: thread.id,
    run: null,
    body,
    preconditions,
    state: "pending",
    attempts: 0,
    nextAttemptAt: clock.now(),
    result: null,
    error: null,
    createdAt: clock.now(),
  });
}

interface WorkerParts {
  clock: ManualClock;
  forge: Forge;
  ends: string[];
  effects: EffectBook;
}

function makeWorker({ clock, forge, ends, effects }: WorkerParts): OutboxWorker {
  return new OutboxWorker({
    clock,
    timers: clock,
    log: silentLog,
    random: () => 0.5,
    effects,
    forgeFor: ({ author }): Forge => {
      if (author !== "dev") throw new Error(`agents.${author}.users has no user on the forge "home"`);
      return forge;
    },
    repository: ({ repositoryId }) => forge.repository(repositoryId),
    onEnd: ({ body }, state) => ends.push(`${body.kind} ${state}`),
  });
}

type Move = "done" | "retryAt" | "supersede" | "park";

/** The book, and a way to wait until it was written. */
function watched(store: EffectStore) {
  const made: { id: EffectId; move: Move }[] = [];
  const waiting = new Set<() => void>();
  const note = async (id: EffectId, move: Move, work: Promise<boolean>): Promise<boolean> => {
    const changed = await work;
    // After the worker's own next steps, such as telling that the effect ended.
    setImmediate(() => {
      made.push({ id, move });
      for (const look of waiting) look();
    });
    return changed;
  };
  return {
    ...store,
    done: (id, result) => note(id, "done", store.done(id, result)),
    retryAt: (id, when, error) => note(id, "retryAt", store.retryAt(id, when, error)),
    supersede: (id, why) => note(id, "supersede", store.supersede(id, why)),
    park: (id, error) => note(id, "park", store.park(id, error)),
    /** Resolves when this effect made this move so many times. */
    moved(id: EffectId, move: Move, times = 1): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = () => {
        if (made.filter((one) => one.id === id && one.move === move).length < times) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
      return promise;
    },
  } satisfies EffectBook & { moved: unknown };
}
