import { existsSync } from "node:fs";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { LaneKey } from "../../domain/ids.ts";
import { outputText } from "../../domain/process.ts";
import type { JailSettings } from "../settings.ts";
import { processesWith, testJail } from "./jails.ts";

/** What an agent got to see and to do; the same record whoever runs the service. */
export interface Findings {
  uidSeparation: boolean;
  service: number;
  inside: Record<string, string>;
  wroteOutside: string[];
  leftOver: number;
}

const canary = "canary-4f1c";

const probeScript = `
say() { echo "$1=$(echo "$2" | tr '\\n' ' ')"; }
say env "$(env; cat /proc/*/environ 2>/dev/null | tr '\\0' ' ')"
say uid "$(id -u)"
say files "$(cat "$1/keys/id_rsa" 2>&1; ls "$1" 2>&1; find / -path /usr -prune -o -path /proc -prune -o -name 'id_rsa*' -print 2>/dev/null)"
say processes "$(for p in /proc/[0-9]*; do cat $p/comm 2>/dev/null; done | sort -u)"
say loopback "$( (exec 3<>/dev/tcp/127.0.0.1/$2) 2>&1 && echo connected)"
say metadata "$( (exec 3<>/dev/tcp/169.254.169.254/80) 2>&1 && echo connected)"
say dns "$(getent hosts example.org && echo resolved)"
say written "$(for f in "$1/written" /written /usr/written /etc/written /opt/written /var/written; do (echo x > $f) 2>/dev/null && echo $f; done)"
say capabilities "$(grep CapEff /proc/self/status)"
say namespaces "$(unshare --user --map-root-user true 2>&1 && echo made)"
say own "$(echo kept > /repo/kept && echo kept > ~/kept && cat /repo/kept ~/kept)"
say tool "$(hello)"
say readonly "$(cat /opt/data/note; (echo x > /opt/data/note) 2>&1)"
say resolver "$(getent hosts localhost | head -n 1; getent passwd agent)"
say git "$(git init -q /tmp/g && git -C /tmp/g status --short --branch)"
say bigfile "$(head -c 3000000 /dev/zero 2>/dev/null > /repo/big; stat -c %s /repo/big)"
say bigtmp "$(head -c 9000000 /dev/zero 2>/dev/null > /tmp/big; head -c 9000000 /dev/zero 2>/dev/null > /tmp/big2; du -sb /tmp | cut -f1)"
say forks "$(setsid sh -c 'trap "trap - TERM; kill 0" EXIT; i=0; while [ $i -lt 90 ]; do sleep 60 >/dev/null 2>&1 & i=$((i+1)); done; echo all' 2>&1)"
say opened "$(ls /proc/self/fd)"
`;

/** Runs an agent that tries what it must not, in a jail below `folder`. */
export async function probe(folder: string): Promise<Findings> {
  process.env["CANARY"] = canary;
  await mkdir(join(folder, "keys"));
  await writeFile(join(folder, "keys", "id_rsa"), canary, { mode: 0o644 });
  const tools = join(folder, "closed");
  await mkdir(tools);
  await writeFile(join(tools, "hello"), "#!/bin/sh\necho hello\n");
  await chmod(join(tools, "hello"), 0o755);
  await chmod(tools, 0o700);
  await mkdir(join(folder, "data"));
  await writeFile(join(folder, "data", "note"), "a note");
  await chmod(join(folder, "data"), 0o755);
  await chmod(join(folder, "data", "note"), 0o644);
  const settings: Partial<JailSettings> = {
    limits: { processes: 60, fileBytes: 2_000_000, cpuSeconds: 60, openFiles: 256, tmpBytes: 3_000_000 },
    tools: [{ from: join(tools, "hello"), to: "/opt/tools/hello" }],
    readOnly: [{ from: join(folder, "data"), to: "/opt/data" }],
  };
  const jail = await testJail(folder, settings);
  const lane = await jail.openLane("dev:thread" as LaneKey);
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const script = ["/bin/bash", "-c", probeScript, "probed", folder, String(port)];
  const result = await jail.run(lane, script, { timeoutMs: 60_000, maxOutputBytes: 1_000_000 });
  server.close();
  delete process.env["CANARY"];
  const lines = outputText(result).split("\n");
  const inside = lines.flatMap((line): [string, string][] => {
    const [name, ...rest] = line.split("=");
    return name === undefined || name === "" ? [] : [[name, rest.join("=").trim()]];
  });
  const outside = [`${folder}/written`, "/written", "/usr/written", "/etc/written", "/opt/written", "/var/written"];
  const left = processesWith(`probed\0${folder}`).length;
  await rm(join(folder, "keys"), { recursive: true });
  return {
    uidSeparation: jail.describe().uidSeparation,
    service: process.getuid?.() ?? 0,
    inside: { ...Object.fromEntries(inside), stderr: result.stderr, end: result.end },
    wroteOutside: outside.filter((path) => existsSync(path)),
    leftOver: left,
  };
}

/** Holds a jail open whose agent has a child in a session of its own; both carry the token in their command lines. */
async function hold(folder: string, token: string): Promise<void> {
  const jail = await testJail(folder);
  const lane = await jail.openLane("dev:held" as LaneKey);
  const child = jail.spawn(lane, ["/bin/bash", "-c", holdScript(token)]);
  child.stdout.pipe(process.stdout);
  child.stderr.pipe(process.stderr);
}

export const holdScript = (token: string): string =>
  `setsid bash -c 'exec -a ${token} tail -f /dev/null' >/dev/null 2>&1 </dev/null & sleep 0; echo ready; exec -a ${token} tail -f /dev/null`;

if (import.meta.main) {
  const [what, folder = "", token = ""] = process.argv.slice(2);
  if (what === "hold") await hold(folder, token);
  if (what === "probe") process.stdout.write(JSON.stringify(await probe(folder)));
}
