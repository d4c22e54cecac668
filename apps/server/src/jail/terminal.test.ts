import { expect, test } from "bun:test";
import type { LaneKey } from "../domain/ids.ts";
import { inside } from "./inside.ts";
import { openJail } from "./jail.ts";
import { jailSettings, openFolder, ports } from "./testing/jails.ts";

test("a terminal's command is the run's own jail, flag by flag, but for the session of its own", async () => {
  using folder = openFolder();
  const started: (readonly string[])[] = [];
  const start: typeof ports.start = (command, options) => {
    started.push(command);
    return ports.start(command, options);
  };
  const jail = await openJail(jailSettings(folder.path), { ...ports, start });
  const lane = await jail.openLane("dev:one" as LaneKey, { mirror: folder.path, sockets: folder.path });
  const env = { TERM: "xterm" };
  await jail.run(lane, [inside.agent, "-c", "true"], { env, timeoutMs: 30_000, maxOutputBytes: 1_000 });
  const run = started.at(-1) ?? [];
  expect(run).toContain("--new-session");
  expect(jail.terminalCommand(lane, [inside.agent, "-c", "true"], env)).toEqual(
    run.filter((argument) => argument !== "--new-session"),
  );
});

test("in a terminal, it runs as it does in a run: as the lane's user, without network, and nothing is left of it", async () => {
  using folder = openFolder();
  const jail = await openJail(jailSettings(folder.path), ports);
  const lane = await jail.openLane("dev:one" as LaneKey);
  const say = "tty -s && echo terminal; id -u; ls /sys/class/net 2>/dev/null; cat /proc/net/dev | grep -c eth0";
  const command = jail.terminalCommand(lane, ["/bin/bash", "-c", say], {});
  const inner = `cd / && exec env -i ${command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ")}`;
  const child = Bun.spawn(["script", "-q", "-e", "-c", inner, "/dev/null"], {
    stdin: "ignore",
    env: { SHELL: "/bin/sh", PATH: "/usr/bin:/bin" },
  });
  const shown = await new Response(child.stdout).text();
  const uid = lane.identity?.uid ?? process.getuid?.();
  expect(shown.trim().split(/\s+/)).toEqual(["terminal", String(uid), "0"]);
});
