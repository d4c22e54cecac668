import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { forEachDatabase } from "../../../../tests/support/databases.ts";
import { type Forge, ForgeError } from "../domain/forge.ts";
import { type ForgeId, laneKey, type SessionId } from "../domain/ids.ts";
import { manualClock } from "../infrastructure/clock.ts";
import { createSessionRecords } from "../infrastructure/database/session-records.ts";
import { createThreadStore } from "../infrastructure/database/threads.ts";
import { SessionFiles } from "./session-files.ts";
import { createSessionStores } from "./session-stores.ts";

const hour = 3_600_000;
const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

forEachDatabase((_, open) => {
  async function set(forges: string[] = ["main"]) {
    const stateDir = mkdtempSync(join(tmpdir(), "claude-hooks-files-"));
    folders.push(stateDir);
    const clock = manualClock();
    const db = await open({ clock });
    const config = {
      stateDir,
      agents: { dev: { sessionMaxAgeMs: 24 * hour }, reviewer: { sessionMaxAgeMs: hour } },
      sessionMaxAgeMs: 24 * hour,
      repositories: forges.map((forge) => ({ forge: forge as ForgeId, id: 7 })),
    };
    const state = {
      down: false,
      asked: 0,
      logged: [] as { level: string; fields: Record<string, unknown>; text: string }[],
    };
    const service = (): Pick<Forge, "repository" | "issue"> => ({
      async repository() {
        state.asked += 1;
        if (state.down) throw new ForgeError("no answer", { kind: "unavailable", status: null, ambiguous: true });
        return { name: "acme/widgets" } as Awaited<ReturnType<Forge["repository"]>>;
      },
      async issue(_repo, number) {
        if (number > 100) throw new ForgeError("no such issue", { kind: "not-found", status: 404, ambiguous: false });
        return { kind: number > 50 ? "pull_request" : "issue" } as Awaited<ReturnType<Forge["issue"]>>;
      },
    });
    const log = (level: string) => (fields: Record<string, unknown>, text: string) =>
      void state.logged.push({ level, fields, text });
    const records = createSessionRecords(db);
    const threads = createThreadStore(db);
    const sessions = createSessionStores(config, db);
    const files = new SessionFiles({
      config: config as never,
      clock,
      log: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
      users: { service: service as never },
      sessions,
      records,
      threads,
    });
    const session = async (agent: string, number: number) => {
      const thread = await threads.threadOf((forges[0] ?? "") as ForgeId, 7, number);
      return thread === null ? null : await sessions.of(agent).getSession(laneKey(agent, thread.id));
    };
    const write = (content: unknown): void =>
      writeFileSync(join(stateDir, "sessions.json"), typeof content === "string" ? content : JSON.stringify(content));
    return {
      clock,
      db,
      state,
      records,
      threads,
      sessions,
      files,
      session,
      write,
      stateDir,
      [Symbol.asyncDispose]: () => db.close(),
    };
  }

  describe("a sessions.json of the earlier system", () => {
    test("is taken in at start with its times, in both forms, and kept under another name", async () => {
      await using it = await set();
      const now = it.clock.now();
      const content = {
        "dev:acme/widgets:1": { id: "one", last_used_at: now - 23 * hour },
        "dev:ACME/Widgets#51": { id: "two", last_used_at: now - hour },
        "reviewer:acme/widgets#1": { id: "three", last_used_at: now - 2 * hour },
        "dev:acme/widgets:3": "bare",
      };
      it.write(content);
      await it.files.importLegacy();
      expect(await it.session("dev", 1)).toMatchObject({ id: "one", lastUsedAt: now - 23 * hour });
      expect(await it.session("dev", 51)).toMatchObject({ id: "two" });
      expect((await it.threads.threadOf("main" as ForgeId, 7, 51))?.kind).toBe("pull_request");
      expect(await it.session("reviewer", 1)).toBeNull();
      expect(await it.session("dev", 3)).toBeNull();
      expect(it.state.logged.at(-1)).toMatchObject({ level: "info", fields: { imported: 2, expired: 2, older: 0 } });
      const [name] = readdirSync(it.stateDir).filter((file) => file.startsWith("sessions"));
      expect(name).toBe("sessions.json.imported-2026-01-05");
      expect(JSON.parse(readFileSync(join(it.stateDir, name!), "utf8"))).toEqual(content);
      expect(it.state.asked).toBe(1);
    });

    test("taken in twice changes nothing, and wins over nothing that was used since", async () => {
      await using it = await set();
      const now = it.clock.now();
      const content = { "dev:acme/widgets#1": { id: "old", last_used_at: now - hour } };
      it.write(content);
      await it.files.importLegacy();
      const thread = await it.threads.threadOf("main" as ForgeId, 7, 1);
      await it.sessions.of("dev").setSession(laneKey("dev", thread!.id), "newer" as SessionId);
      it.write(content);
      await it.files.importLegacy();
      expect(await it.session("dev", 1)).toMatchObject({ id: "newer" });
      expect(it.state.logged.at(-1)?.fields).toMatchObject({ imported: 0, older: 1 });
      expect(readdirSync(it.stateDir).toSorted()).toEqual([
        "sessions.json.imported-2026-01-05",
        "sessions.json.imported-2026-01-05-1",
      ]);
    });

    test("that is no JSON is reported with its place, and stays", async () => {
      await using it = await set();
      it.write('{\n  "dev:acme/widgets#1": oops\n}');
      await it.files.importLegacy();
      expect(it.state.logged).toMatchObject([
        { level: "error", fields: { fault: expect.stringContaining("sessions.json:2:25") } },
      ]);
      expect(readdirSync(it.stateDir)).toEqual(["sessions.json"]);
      expect(await it.records.list({ limit: 9 })).toEqual([]);
    });

    test("with some faults gives the good ones, names the others, and keeps all of them", async () => {
      await using it = await set();
      const good = { id: "good", last_used_at: it.clock.now() };
      it.write({
        "dev:acme/widgets#1": good,
        nonsense: good,
        "painter:acme/widgets#1": good,
        "dev:acme/other#1": good,
        "dev:acme/widgets#101": good,
      });
      await it.files.importLegacy();
      expect(await it.session("dev", 1)).toMatchObject({ id: "good" });
      const faults = it.state.logged
        .filter(({ level }) => level === "error")
        .map(({ fields }) => String(fields["fault"]));
      expect(faults).toEqual([
        expect.stringContaining('"nonsense": expected a key such as'),
        '"painter:acme/widgets#1": there is no agent type "painter" in the configuration',
        '"dev:acme/other#1": acme/other is not among the watched repositories',
        '"dev:acme/widgets#101": no such issue',
      ]);
      expect(readdirSync(it.stateDir)).toEqual(["sessions.json.imported-2026-01-05"]);
    });

    test("waits for the next start where the forge is down, and says so", async () => {
      await using it = await set();
      it.write({ "dev:acme/widgets#1": { id: "one", last_used_at: it.clock.now() } });
      it.state.down = true;
      await it.files.importLegacy();
      expect(it.state.logged.at(-1)?.text).toContain("the next start tries again");
      expect(readdirSync(it.stateDir)).toEqual(["sessions.json"]);
      it.state.down = false;
      await it.files.importLegacy();
      expect(await it.session("dev", 1)).toMatchObject({ id: "one" });
    });

    test("that is not there costs nothing", async () => {
      await using it = await set();
      await it.files.importLegacy();
      expect([it.state.asked, it.state.logged]).toEqual([0, []]);
    });
  });

  describe("an export", () => {
    test("is what an import takes, without what has expired", async () => {
      await using it = await set();
      const lastUsedAt = it.clock.now() - 2 * hour;
      const thread = await it.threads.ensureThread({
        forge: "main" as ForgeId,
        repositoryId: 7,
        repository: "acme/widgets",
        number: 1,
        kind: "issue",
      });
      for (const agent of ["dev", "reviewer"])
        await it.records.put({ lane: laneKey(agent, thread.id), id: `${agent}-id` as SessionId, lastUsedAt });
      const exported = await it.files.export();
      expect(exported).toEqual({ "dev:acme/widgets#1": { id: "dev-id" as SessionId, last_used_at: lastUsedAt } });
      await using other = await set();
      expect(await other.files.import(JSON.stringify(exported), "x.json")).toMatchObject({
        imported: ["dev:acme/widgets#1"],
      });
      expect(await other.files.export()).toEqual(exported);
    });

    test("names the forge where a repository's name alone would not do, and an import asks for it", async () => {
      await using it = await set(["main", "other"]);
      const id = "id" as SessionId;
      for (const forge of ["main", "other"] as ForgeId[]) {
        const thread = await it.threads.ensureThread({
          forge,
          repositoryId: 7,
          repository: "acme/widgets",
          number: 1,
          kind: "issue",
        });
        await it.records.put({ lane: laneKey("dev", thread.id), id, lastUsedAt: it.clock.now() });
      }
      const exported = await it.files.export();
      expect(Object.keys(exported).toSorted()).toEqual(["dev:main/acme/widgets#1", "dev:other/acme/widgets#1"]);
      expect(await it.files.import(JSON.stringify(exported), "x")).toMatchObject({
        older: expect.arrayContaining(Object.keys(exported)),
        faults: [],
      });
      const bare = await it.files.import(JSON.stringify({ "dev:acme/widgets#1": "x" }), "x");
      expect(bare).toMatchObject({
        faults: [expect.stringContaining("write main/acme/widgets or other/acme/widgets")],
      });
    });
  });
});
