import { afterAll, afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bash, scriptOf } from "../agents/testing/places.ts";
import type { SessionId } from "../domain/ids.ts";
import { systemClock } from "../infrastructure/clock.ts";
import type { Database } from "../infrastructure/database/handle.ts";
import { openDatabase } from "../infrastructure/database/open.ts";
import { createTranscriptStore, type TranscriptStore } from "../infrastructure/database/transcripts.ts";
import { openFolder } from "../jail/testing/jails.ts";
import { type AgentWorld, lane, openAgentWorld } from "./testing/agent-world.ts";

// A jail and the real binary in it take a second, on a busy machine several.
setDefaultTimeout(120_000);

const folder = openFolder();
afterAll(() => folder[Symbol.dispose]());

const base = scriptOf([
  {
    when: { prompt: "FRESH" },
    steps: [{ tools: bash("echo the-word-is-cormorant") }, { text: "It is cormorant." }],
  },
  { when: { prompt: "RESUMED" }, repeat: true, steps: [{ text: "I remember." }] },
  {
    when: { prompt: "DELEGATE" },
    steps: [
      {
        tools: [
          { name: "Agent", input: { description: "part", prompt: "THE-PART", subagent_type: "general-purpose" } },
        ],
      },
      { text: "It is delegated." },
      { text: "It is done." },
    ],
  },
  {
    when: { prompt: "COUNT" },
    steps: [
      { tools: bash("find $CLAUDE_CONFIG_DIR/projects -name 'agent-*.jsonl' | xargs cat | grep -c the-part-is-done") },
      { text: "counted {{lastToolResult}}" },
    ],
  },
  { when: { prompt: "HOLD" }, steps: [{ tools: bash("tail -f /dev/null") }, { text: "never" }] },
]);
const script = {
  ...base,
  agents: [
    { name: "part", match: { prompt: "THE-PART", subagent: true }, turns: [{ steps: [{ text: "the-part-is-done" }] }] },
    ...base.agents,
  ],
};

let db: Database;
let world: AgentWorld;
let number = 0;
beforeEach(async () => {
  const home = join(folder.path, `world-${(number += 1)}`);
  db = await openDatabase(`sqlite:${join(folder.path, `${number}.db`)}`, { clock: systemClock });
  world = await openAgentWorld(home, db, script);
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await db.close();
});

const lastRequest = () => JSON.stringify(world.model.requests().at(-1)?.body);

test("a session is resumed from the database alone, on another machine too, and sends what it sent before", async () => {
  const here = await world.machine("here");
  const first = await here.run();
  expect(first).toMatchObject({ kind: "completed", report: { summary: "It is cormorant." } });
  const { dir, home } = await here.jail.openLane(lane);
  expect(existsSync(join(home, ".claude"))).toBe(false);
  for (const machine of [here, await world.machine("there"), here]) {
    const next = await machine.run();
    expect(next).toMatchObject({ kind: "completed", session: first.session, start: { kind: "resumed" } });
    expect(lastRequest()).toContain("the-word-is-cormorant");
    expect(world.model.requests().at(-1)?.prefixShare).toBeGreaterThanOrEqual(0.95);
  }
  expect(readdirSync(dir).toSorted()).not.toContain("resume");
  expect(readdirSync(join(folder.path, `world-${number}`, "here", "state", "tmp"))).toEqual([]);
  expect(world.counted).toEqual([]);
  expect(world.logged).toEqual([]);
});

type Spoil = (rows: { entry_key: string; seq: number }[]) => Promise<unknown>;
const entries = () => db.kysely.updateTable("transcript_entries");
const spoilt: [string, string, Spoil][] = [
  ["deleted", "nothing of it is stored", () => db.kysely.deleteFrom("transcript_entries").execute()],
  ["emptied", "can be read", () => entries().set({ entry: new Uint8Array() }).execute()],
  [
    "garbled",
    "can be read",
    () =>
      entries()
        .set({ entry: new Uint8Array([0x7b, 0xff, 0x00]) })
        .execute(),
  ],
];
test.each(spoilt)(
  "a session whose transcript was %s is begun afresh at once, counted and dropped, and no process is spent on it",
  async (_, detail, spoil) => {
    const machine = await world.machine("here");
    const first = await machine.run();
    await spoil([]);
    const second = await machine.run({ prompt: "FRESH, again" });
    expect(second).toMatchObject({
      kind: "completed",
      start: { kind: "fresh", reason: "transcript-missing", detail: expect.stringContaining(detail) },
    });
    expect(second.session).not.toBe(first.session);
    expect(machine.spawned()).toBe(2);
    expect(world.counted).toEqual(["transcript-missing"]);
    expect(await world.sessions.getSessionResumeFailuresTotal("transcript-missing")).toBe(1);
    expect((await world.sessions.getSession(lane))?.id).toBe(second.session!);
    // The dead id is not tried again.
    expect((await machine.run()).session).toBe(second.session);
    expect(world.counted).toHaveLength(1);
  },
);

test("a session whose transcript was cut off is resumed from what is left", async () => {
  const machine = await world.machine("here");
  const first = await machine.run();
  const rows = await db.kysely
    .selectFrom("transcript_entries")
    .select(["entry_key", "entry"])
    .orderBy("seq", "desc")
    .limit(3)
    .execute();
  const [last, ...gone] = rows;
  await entries()
    .set({ entry: last!.entry.slice(0, 25) })
    .where("entry_key", "=", last!.entry_key)
    .execute();
  for (const { entry_key } of gone)
    await db.kysely.deleteFrom("transcript_entries").where("entry_key", "=", entry_key).execute();
  expect(await machine.run()).toMatchObject({
    kind: "completed",
    session: first.session,
    start: { kind: "resumed" },
    report: { summary: "I remember." },
  });
  expect(lastRequest()).toContain("FRESH, please");
  expect(world.counted).toEqual([]);
});

test("a transcript that reads well and that the agent refuses all the same: counted, dropped, and one fresh start in the same run", async () => {
  const machine = await world.machine("here");
  const dead = "11111111-1111-4111-8111-111111111111" as SessionId;
  await world.sessions.setSession(lane, dead);
  const line = { type: "user", uuid: "x", message: { role: "user", content: "hello" }, isSidechain: true };
  await world.store.append({ lane, session: dead }, "", [{ key: "x", json: JSON.stringify(line) }]);
  const outcome = await machine.run();
  expect(outcome).toMatchObject({ kind: "completed", start: { kind: "fresh", reason: "resume-failed" } });
  expect(machine.spawned()).toBe(2);
  expect(world.counted).toEqual(["not-found"]);
  expect(await world.sessions.getSessionResumeFailuresTotal("not-found")).toBe(1);
});

/** A store that takes nothing while it is down. */
function brittle(): TranscriptStore & { down: boolean } {
  const store = {
    ...world.store,
    down: true,
    append(...parameters: Parameters<TranscriptStore["append"]>) {
      return store.down ? Promise.reject(new Error("the database is down")) : world.store.append(...parameters);
    },
  };
  return store;
}

test("what could not be stored while the agent worked is stored at the end of the run, and was seen", async () => {
  const machine = await world.machine("here");
  const store = brittle();
  const first = await machine.run({
    store,
    onRaw(json) {
      if (json.includes('"type":"result"')) store.down = false;
    },
  });
  expect(world.counted).toContain("not-stored");
  expect(world.logged).toContain("transcript lines could not be stored; they are tried again with the next ones");
  expect((await world.store.size({ lane, session: first.session! }))?.entries).toBeGreaterThan(4);
  expect(await machine.run()).toMatchObject({ session: first.session, start: { kind: "resumed" } });
  expect(lastRequest()).toContain("the-word-is-cormorant");
});

test("what a service that died left in a lane's folders is taken in before they go: of a new session and of a resumed one", async () => {
  const machine = await world.machine("here");
  const { dir, home } = await machine.jail.openLane(lane);
  const first = await machine.run({ store: brittle() });
  expect(await world.store.size({ lane, session: first.session! })).toBeNull();
  expect(existsSync(join(home, ".claude"))).toBe(true);
  expect(await machine.transcripts.settleAll(await machine.jail.listLanes())).toBeGreaterThan(4);
  expect(existsSync(join(home, ".claude"))).toBe(false);

  const second = await machine.run({ store: brittle(), prompt: "RESUMED, with a word that only a folder has" });
  expect(second).toMatchObject({ session: first.session, start: { kind: "resumed" } });
  expect(existsSync(join(dir, "resume"))).toBe(true);
  const third = await machine.run();
  expect(third).toMatchObject({ session: first.session, start: { kind: "resumed" } });
  for (const words of ["the-word-is-cormorant", "a word that only a folder has"])
    expect(lastRequest()).toContain(words);
  expect(existsSync(join(dir, "resume"))).toBe(false);
  expect(world.model.requests().at(-1)?.prefixShare).toBeGreaterThanOrEqual(0.95);
});

test("what lies in a lane's folder under another session's name is not taken for its own", async () => {
  const machine = await world.machine("here");
  const { home } = await machine.jail.openLane(lane);
  const first = await machine.run();
  const project = join(home, ".claude", "projects", "-repo");
  mkdirSync(project, { recursive: true });
  const forged = "22222222-2222-4222-8222-222222222222" as SessionId;
  writeFileSync(join(project, `${forged}.jsonl`), '{"type":"user","uuid":"x","message":{}}\n');
  expect(await machine.transcripts.settleAll(await machine.jail.listLanes())).toBe(0);
  expect(await world.store.sessionsOf(lane)).toEqual([first.session!]);
});

test("a run that is stopped in the middle of a tool loses nothing that its agent has said", async () => {
  const machine = await world.machine("here");
  const stopping = new AbortController();
  const run = machine.run({
    prompt: "HOLD, please",
    signal: stopping.signal,
    onRaw(json) {
      if (json.includes("tail -f")) stopping.abort();
    },
  });
  expect(await run).toMatchObject({ kind: "failed", failure: { kind: "interrupted" } });
  expect(await machine.run()).toMatchObject({ kind: "completed", start: { kind: "resumed" } });
  expect(lastRequest()).toContain("HOLD, please");
});

test("a sub-agent's lines are stored and come back with the session", async () => {
  const machine = await world.machine("here");
  const first = await machine.run({ prompt: "DELEGATE, please" });
  expect(first).toMatchObject({ kind: "completed", report: { summary: "It is done." } });
  const [subpath] = await world.store.subpaths({ lane, session: first.session! });
  expect(subpath).toStartWith("subagents/agent-");
  const second = await (await world.machine("there")).run({ prompt: "COUNT, please" });
  expect(second).toMatchObject({ session: first.session, report: { summary: expect.stringMatching(/counted [1-9]/) } });
});

test("a session is laid out in its lane's HOME for others to resume, and what they add is taken in", async () => {
  const machine = await world.machine("here");
  const place = await machine.jail.openLane(lane);
  const first = await machine.run({ prompt: "DELEGATE, please" });
  const ref = { lane, session: first.session! };
  const before = await world.store.size(ref);
  expect(await machine.transcripts.layOut(place, "33333333-3333-4333-8333-333333333333" as SessionId)).toBe(false);
  expect(await machine.transcripts.layOut(place, ref.session)).toBe(true);
  expect(await machine.transcripts.settle(place)).toBe(0);
  expect(await machine.transcripts.layOut(place, ref.session)).toBe(true);
  const found = await machine.jail.run(place, ["sh", "-c", `cd ~/.claude/projects/-repo && cat ${ref.session}.jsonl`], {
    timeoutMs: 30_000,
    maxOutputBytes: 1_000_000,
  });
  expect(new TextDecoder().decode(found.stdout)).toContain("DELEGATE, please");
  const file = join(place.home, ".claude", "projects", "-repo", `${ref.session}.jsonl`);
  appendFileSync(file, '{"type":"user","uuid":"by-hand","message":{"role":"user","content":"by hand"}}\n');
  expect(await machine.transcripts.settle(place)).toBe(1);
  expect((await world.store.size(ref))?.entries).toBe((before?.entries ?? 0) + 1);
});

test("a transcript that reaches its limit: the run says so, goes on, and its session is the last one of its kind", async () => {
  const machine = await world.machine("here");
  const store = createTranscriptStore(db, { maxBytes: 2_000 });
  const raw: string[] = [];
  const first = await machine.run({ store, onRaw: (json) => void raw.push(json) });
  expect(first.kind).toBe("completed");
  expect(raw.filter((json) => json.includes("transcript_full"))).toHaveLength(1);
  expect(world.counted).toEqual(["full"]);
  const second = await machine.run({ prompt: "FRESH, again" });
  expect(second.start).toMatchObject({ kind: "fresh", reason: "transcript-full" });
  expect(second.session).not.toBe(first.session);
  expect(await world.sessions.getSessionResumeFailuresTotal()).toBe(0);
});
