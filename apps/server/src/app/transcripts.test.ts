import { afterAll, afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { bash } from "../agents/testing/places.ts";
import type { SessionId } from "../domain/ids.ts";
import { systemClock } from "../infrastructure/clock.ts";
import type { Database } from "../infrastructure/database/handle.ts";
import { openDatabase } from "../infrastructure/database/open.ts";
import { openFolder } from "../jail/testing/jails.ts";
import { type AgentWorld, lane, openAgentWorld } from "./testing/agent-world.ts";

// A jail and the real binary in it take a second, on a busy machine several.
setDefaultTimeout(120_000);

const folder = openFolder();
afterAll(() => folder[Symbol.dispose]());

const turns = [
  {
    when: { prompt: "FRESH" },
    steps: [{ tools: bash("echo the-word-is-cormorant") }, { text: "It is cormorant." }],
  },
  { when: { prompt: "RESUMED" }, repeat: true, steps: [{ text: "I remember." }] },
];

let db: Database;
let world: AgentWorld;
let number = 0;
beforeEach(async () => {
  const home = join(folder.path, `world-${(number += 1)}`);
  db = await openDatabase(`sqlite:${join(folder.path, `${number}.db`)}`, { clock: systemClock });
  world = await openAgentWorld(home, db, turns);
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
