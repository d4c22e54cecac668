import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openJail } from "./jail.ts";
import { findPrograms } from "./programs.ts";
import type { JailErrorKind } from "./settings.ts";
import { isRoot, jailSettings, openFolder, ports, testJail } from "./testing/jails.ts";

describe("a machine that lacks something", () => {
  const refusals: [string, JailErrorKind, RegExp, (folder: string) => Promise<unknown>][] = [
    [
      "programs",
      "program-missing",
      /apt-get install -y bubblewrap util-linux tini/,
      (folder) => findPrograms(jailSettings(folder), ports, isRoot, [folder]),
    ],
    [
      "the agent's binary",
      "agent-binary-missing",
      /bun install/,
      (folder) => testJail(folder, { agentBinary: `${folder}/absent` }),
    ],
    [
      "a tool",
      "bad-setting",
      /absent/,
      (folder) => testJail(folder, { tools: [{ from: `${folder}/absent`, to: "/opt/tools/x" }] }),
    ],
    [
      "room for a tool",
      "bad-setting",
      /below \/opt\/tools/,
      (folder) => testJail(folder, { tools: [{ from: "/bin/sh", to: "/usr/bin/x" }] }),
    ],
  ];
  test.each(refusals)("is refused for want of %s", async (_, kind, message, open) => {
    using folder = openFolder();
    const refused = await open(folder.path).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({ kind, message: expect.stringMatching(message) });
  });

  test("an old bubblewrap is refused, with the version that is needed", async () => {
    using folder = openFolder();
    const old = { ...ports, start: () => ports.start(["/bin/echo", "bubblewrap 0.6.2"], { cwd: "/", env: {} }) };
    expect(openJail(jailSettings(folder.path), old)).rejects.toMatchObject({ kind: "program-too-old" });
  });

  test("a jail that does not start is refused, and never replaced by none", async () => {
    using folder = openFolder();
    const start: typeof ports.start = (command, options) =>
      ports.start(
        command.includes("--version") ? command : ["/bin/sh", "-c", "echo 'No permissions' >&2; exit 1"],
        options,
      );
    expect(openJail(jailSettings(folder.path), { ...ports, start })).rejects.toThrow(/does not start.*No permissions/s);
  });

  test("as root, a state folder that others cannot reach is refused by the name of the closed folder", async () => {
    using folder = openFolder();
    const closed = join(folder.path, "closed");
    mkdirSync(closed, { mode: 0o700 });
    const opened = await testJail(join(closed, "below")).then(
      () => "opened",
      (error: Error) => error.message,
    );
    if (isRoot) expect(opened).toContain(`chmod o+x ${closed},`);
    if (!isRoot) expect(opened).toBe("opened");
  });
});
