import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LaneKey } from "../domain/ids.ts";
import { outputText } from "../domain/process.ts";
import type { Jail } from "./jail.ts";
import { openFolder, ports, testJail } from "./testing/jails.ts";

const bounds = { timeoutMs: 30_000, maxOutputBytes: 1_000_000 };

describe("the agent", () => {
  const folder = openFolder();
  const resume = "claude-resume-0c3f6a5e-1111-4222-8333-944445555666";
  let jail: Jail;
  beforeAll(async () => {
    jail = await testJail(folder.path);
  });
  afterAll(() => folder[Symbol.dispose]());

  async function agent(script: string, configDir?: string) {
    const lane = await jail.openLane("dev:agent" as LaneKey);
    const env = { CLAUDE_CONFIG_DIR: configDir, EXTRA: "given", PATH: "/evil", HOME: "/root" };
    const child = jail.spawnAgent(lane, {
      command: "/opt/claude",
      args: ["-c", script],
      cwd: "/repo",
      env,
      signal: new AbortController().signal,
    });
    return outputText(await ports.capture(child, bounds));
  }

  test("gets the options' environment, but a PATH and a HOME of the jail's", async () => {
    expect(await agent('echo "$EXTRA $HOME $PWD $PATH"')).toMatch(/^given \/home\/agent \/repo \/usr\/local\/bin:/);
  });

  test("cannot be looked into by what it starts, though that runs as the same user", async () => {
    const tried = await agent(
      "(cat /proc/$$/environ; ls /proc/$$/fd; cat /opt/claude; cat /opt/tini; chmod 755 /opt/claude) 2>&1",
    );
    expect(
      tried
        .trim()
        .split("\n")
        .map((line) => /Permission denied|Read-only|not permitted/.test(line)),
    ).toEqual(
      tried
        .trim()
        .split("\n")
        .map(() => true),
    );
    expect(tried.trim().split("\n")).toHaveLength(5);
  });

  test("finds the folder that the SDK laid a session out in, as its own and at the same path", async () => {
    const dir = join(folder.path, "state", "tmp", resume);
    mkdirSync(join(dir, "projects"), { recursive: true, mode: 0o700 });
    writeFileSync(join(dir, "projects", "a.jsonl"), "transcript", { mode: 0o600 });
    const foreign = join(folder.path, "foreign");
    writeFileSync(foreign, "");
    symlinkSync(foreign, join(dir, "link"));
    const seen = await agent('cd "$CLAUDE_CONFIG_DIR" && cat projects/a.jsonl && echo more >> projects/a.jsonl', dir);
    expect(seen).toBe("transcript");
    expect(readFileSync(join(dir, "projects", "a.jsonl"), "utf8")).toBe("transcriptmore\n");
    expect(lstatSync(foreign).uid).toBe(process.getuid!());
  });

  test.each(["/etc", "/tmp/claude-resume-x", "../escape", resume.replace("claude-", "")])(
    "is refused the configuration folder %s",
    async (name) => {
      const dir = name.startsWith("/") ? name : join(folder.path, "state", "tmp", name);
      expect(agent("true", dir)).rejects.toMatchObject({ kind: "bad-request" });
    },
  );

  test("reaches a socket in the lane's folder of sockets, and cannot remove it", async () => {
    const sockets = join(folder.path, "sockets");
    mkdirSync(sockets);
    chmodSync(sockets, 0o755);
    const server = Bun.serve({ unix: join(sockets, "broker.sock"), fetch: () => new Response("from the broker") });
    const group = jail.lanesGroup;
    if (group !== null) chownSync(join(sockets, "broker.sock"), 0, group);
    chmodSync(join(sockets, "broker.sock"), 0o660);
    const lane = await jail.openLane("dev:socket" as LaneKey, { sockets });
    const ask = `fetch("http://x/", { unix: "/run/broker/broker.sock" }).then((r) => r.text()).then(console.log)`;
    const withBun = await testJail(folder.path, { tools: [{ from: process.execPath, to: "/opt/tools/bun" }] });
    const script = `bun -e '${ask}'; rm -f /run/broker/broker.sock 2>&1`;
    const result = await withBun.run(lane, ["/bin/sh", "-c", script], bounds);
    await server.stop(true);
    expect(outputText(result)).toMatch(/^from the broker\n.*Read-only file system/);
  });
});
