import { describe, expect, test } from "bun:test";
import type { LaneKey, SessionId } from "../domain/ids.ts";
import { silentLog } from "../domain/log.ts";
import type { TranscriptEntry, TranscriptRef } from "../domain/transcript.ts";
import { manualClock } from "../infrastructure/clock.ts";
import { type MirrorDeps, openMirror, projectKeyOf } from "./transcripts.ts";

const ref: TranscriptRef = { lane: "dev:t" as LaneKey, session: "5e551011-0000-4000-8000-000000000001" as SessionId };
const projectKey = projectKeyOf("/repo");
const own = { projectKey, sessionId: ref.session };
const said = (uuid: string) => ({ type: "user", uuid, message: { role: "user", content: uuid } });

/** A store in memory that keeps what it is given by key, and fails as often as it is told to. */
function world({ maxEntries = 1_000 } = {}) {
  const timers = manualClock();
  const happened: string[] = [];
  const rows: (TranscriptEntry & { subpath: string })[] = [];
  const faults = { next: 0, hang: false, afterCommit: false };
  const size = () => ({ entries: rows.length, bytes: rows.length, full: rows.length > maxEntries });
  const deps: MirrorDeps = {
    timers,
    log: {
      ...silentLog,
      warn: (_, text) => void happened.push(text),
      error: (_, text) => void happened.push(text),
    },
    onFailure: () => void happened.push("failure"),
    onForged: () => void happened.push("forged"),
    onFull: () => void happened.push("full"),
    store: {
      async append(_, subpath, entries) {
        if (faults.hang) return await new Promise(() => {});
        const fails = faults.next > 0;
        faults.next -= fails ? 1 : 0;
        if (fails && !faults.afterCommit) throw new Error("disk full");
        const known = new Set(rows.map((row) => `${row.subpath} ${row.key}`));
        rows.push(
          ...entries.filter(({ key }) => !known.has(`${subpath} ${key}`)).map((entry) => ({ ...entry, subpath })),
        );
        if (fails) throw new Error("the connection broke");
        return size();
      },
      page: async (_, subpath, { after }) =>
        after >= 0 ? [] : rows.filter((row) => row.subpath === subpath).map((row, seq) => ({ ...row, seq })),
      subpaths: async () => [...new Set(rows.map(({ subpath }) => subpath).filter(Boolean))],
      size: async () => size(),
    },
  };
  const settled = async (mirror: { settle(): Promise<boolean> }) => {
    const result = mirror.settle();
    for (let second = 0; second < 40; second += 1) await timers.advance(1_000);
    return await result;
  };
  const keys = () => rows.map(({ key }) => (key.startsWith("#") ? "#" : key));
  return { deps, rows, faults, happened, timers, settled, keys, mirror: openMirror(deps, ref, projectKey) };
}

describe("a session's mirror", () => {
  test("stores lines in their order and gives them back, sub-agents beside", async () => {
    const { mirror, settled } = world();
    await mirror.append(own, [said("a"), { type: "mode" }]);
    await mirror.append({ ...own, subpath: "subagents/agent-1" }, [said("s")]);
    await mirror.append(own, [said("b")]);
    expect(await mirror.load(own)).toEqual([said("a"), { type: "mode" }, said("b")]);
    expect(await mirror.listSubkeys(own)).toEqual(["subagents/agent-1"]);
    expect(await mirror.load({ ...own, subpath: "subagents/agent-1" })).toEqual([said("s")]);
    expect(await settled(mirror)).toBe(true);
  });

  test("knows nothing: null, as the SDK wants it", async () => {
    expect(await world().mirror.load(own)).toBeNull();
  });

  const foreign = [
    ["another session", { ...own, sessionId: "5e551011-0000-4000-8000-000000000002" }],
    ["another project", { ...own, projectKey: "-etc" }],
    ["a path that leads elsewhere", { ...own, subpath: "subagents/../../x" }],
    ["an absolute path", { ...own, subpath: "/etc/passwd" }],
  ] as const;
  test.each(foreign)("refuses lines for %s, logs and counts them, and has nothing tried again", async (_, key) => {
    const { mirror, rows, happened } = world();
    await mirror.append(key, [said("forged")]);
    expect(await mirror.load(key)).toBeNull();
    expect(rows).toEqual([]);
    expect(happened[0]).toBe("forged");
    expect(happened).toContain("transcript lines for another session were refused");
  });

  test("a failure is not the SDK's to deal with, and what comes next brings it along, once and in order", async () => {
    const { mirror, faults, keys, happened } = world();
    for (const afterCommit of [false, true]) {
      faults.next = 1;
      faults.afterCommit = afterCommit;
      await mirror.append(own, [said(`a-${afterCommit}`), { type: "mode" }]);
      await mirror.append(own, [said(`b-${afterCommit}`)]);
    }
    expect(keys()).toEqual(["a-false", "#", "b-false", "a-true", "#", "b-true"]);
    expect(happened.filter((what) => what === "failure")).toHaveLength(2);
  });

  test("a database that does not answer holds the agent's stream up for a moment, once", async () => {
    const { mirror, faults, timers } = world();
    faults.hang = true;
    const passed: string[] = [];
    const first = mirror.append(own, [said("a")]).then(() => passed.push("first"));
    await timers.advance(1_000);
    expect(passed).toEqual([]);
    await timers.advance(1_000);
    await first;
    await mirror.append(own, [said("b")]);
    expect(timers.pending()).toBe(0);
  });

  test("the same line twice in one session is two lines", async () => {
    const { mirror, keys } = world();
    await mirror.append(own, [{ type: "mode" }]);
    await mirror.append(own, [{ type: "mode" }]);
    expect(keys()).toEqual(["#", "#"]);
  });

  test("what could not be stored is tried again in the end", async () => {
    const { mirror, faults, keys, settled } = world();
    faults.next = 2;
    await mirror.append(own, [said("a")]);
    expect(await settled(mirror)).toBe(true);
    expect(keys()).toEqual(["a"]);
  });

  test("what cannot be stored in the end is said, also where the database only hangs", async () => {
    const { mirror, faults, settled } = world();
    faults.next = 100;
    await mirror.append(own, [said("a")]);
    expect(await settled(mirror)).toBe(false);
    const hanging = world();
    hanging.faults.hang = true;
    void hanging.mirror.append(own, [said("a")]);
    expect(await hanging.settled(hanging.mirror)).toBe(false);
  });

  test("lines that come after the end are left to the local transcript", async () => {
    const { mirror, rows, settled } = world();
    await settled(mirror);
    await mirror.append(own, [said("late")]);
    expect(rows).toEqual([]);
  });

  test("a gap too large to be held is left to the local transcript, and said", async () => {
    const { mirror, faults, happened, settled, rows } = world();
    faults.next = 100;
    for (const part of ["a", "b"]) {
      const large = { ...said(part), content: part.repeat(9 * 1024 * 1024) };
      await mirror.append(own, [large]);
    }
    faults.next = 0;
    expect(await settled(mirror)).toBe(false);
    expect(rows).toEqual([]);
    expect(happened.at(-1)).toBe("the transcript has a gap until the run ends: too much waits to be stored");
  });

  test("a full transcript takes no more, and says so once", async () => {
    const { mirror, happened, keys, settled } = world({ maxEntries: 1 });
    for (const uuid of ["a", "b", "c"]) await mirror.append(own, [said(uuid)]);
    expect(keys()).toEqual(["a", "b"]);
    expect(happened).toEqual(["full"]);
    expect(await settled(mirror)).toBe(true);
  });

  test("unreadable lines are left out of a resume, and said", async () => {
    const { mirror, rows, happened } = world();
    await mirror.append(own, [said("a")]);
    rows.push({ key: "b", json: "{", subpath: "" });
    expect(await mirror.load(own)).toEqual([said("a")]);
    expect(happened).toEqual(["unreadable transcript lines were left out of a resume"]);
  });
});
