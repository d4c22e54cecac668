import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { access, chmod, copyFile, lstat, mkdir, readdir, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, join, posix } from "node:path";
import { outputText, succeeded } from "../domain/process.ts";
import { inside } from "./inside.ts";
import type { JailPorts } from "./ports.ts";
import { firstClosedFolder } from "./reach.ts";
import { JailError, type JailSettings, type Mount } from "./settings.ts";

export interface Programs {
  bwrap: string;
  prlimit: string;
  setpriv: string;
  /** Copies that can be executed but not read: such a process cannot be looked into by others of its user. */
  agent: string;
  init: string;
  tools: readonly Mount[];
  /** Names in / that point into /usr. */
  usrLinks: readonly string[];
  /** Folders in / that stand beside /usr on systems where it is not merged. */
  usrFolders: readonly string[];
}

const binFolders = ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin"];

const needed = {
  bwrap: { names: ["bwrap"], debian: "bubblewrap" },
  prlimit: { names: ["prlimit"], debian: "util-linux" },
  setpriv: { names: ["setpriv"], debian: "util-linux" },
  init: { names: ["tini-static", "tini"], debian: "tini" },
} as const;

/** Looks for what the jail needs, and puts the copies that it runs into `<state>/bin`. */
export async function findPrograms(
  settings: JailSettings,
  ports: JailPorts,
  isRoot: boolean,
  folders: readonly string[] = binFolders,
): Promise<Programs> {
  const [bwrap, prlimit, setpriv, init] = await Promise.all(
    [needed.bwrap, needed.prlimit, needed.setpriv, needed.init].map(({ names }) => find(names, folders)),
  );
  const found = { bwrap, prlimit, setpriv, init };
  const missing = Object.entries(needed).filter(([name]) => found[name as keyof typeof needed] === undefined);
  if (!bwrap || !prlimit || !setpriv || !init)
    throw missingPrograms(
      missing.map(([, program]) => program),
      folders,
    );
  await checkBwrap(bwrap, ports);
  const bin = join(settings.stateDir, "bin");
  await mkdir(bin, { recursive: true });
  await chmod(bin, 0o711);
  const mode = isRoot ? 0o711 : 0o111;
  const agent = await copied(await agentBinary(settings.agentBinary), bin, "claude", mode);
  return {
    bwrap,
    prlimit,
    setpriv,
    agent,
    init: await copied(init, bin, "tini", mode),
    tools: await openTools(settings, bin, isRoot),
    ...(await rootFolders()),
  };
}

async function find(names: readonly string[], folders: readonly string[]): Promise<string | undefined> {
  for (const name of names)
    for (const folder of folders) {
      const path = join(folder, name);
      const executable = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (executable) return path;
    }
  return undefined;
}

function missingPrograms(
  missing: readonly { names: readonly string[]; debian: string }[],
  folders: readonly string[],
): JailError {
  const names = missing.map(({ names: [name] }) => name).join(", ");
  const packages = [...new Set(missing.map(({ debian }) => debian))].join(" ");
  return new JailError(
    "program-missing",
    `The jail needs ${names}, not found in ${folders.join(", ")}. On Debian and Ubuntu: apt-get install -y ${packages}`,
  );
}

/** `--disable-userns` came with bubblewrap 0.8.0; without it, an agent gets namespaces, and so kernel surface, of its own. */
async function checkBwrap(bwrap: string, ports: JailPorts): Promise<void> {
  const child = ports.start([bwrap, "--version"], { cwd: "/", env: {} });
  const result = await ports.capture(child, { timeoutMs: 10_000, maxOutputBytes: 4_096 });
  const version = /(\d+)\.(\d+)/.exec(outputText(result));
  const [major, minor] = [Number(version?.[1] ?? 0), Number(version?.[2] ?? 0)];
  if (succeeded(result) && (major > 0 || minor >= 8)) return;
  throw new JailError(
    "program-too-old",
    `${bwrap} is ${outputText(result).trim() || "of no known version"}; the jail needs bubblewrap 0.8.0 or later (Debian 12, Ubuntu 24.04).`,
  );
}

async function agentBinary(path: string): Promise<string> {
  const real = await realpath(path).catch((cause: unknown) => {
    throw new JailError("agent-binary-missing", `No agent binary at ${path}: run "bun install" in the clone.`, {
      cause,
    });
  });
  if ((await stat(real)).isFile()) return real;
  throw new JailError("agent-binary-missing", `${path} is no file: it must be the claude binary itself.`);
}

/** The name carries the original's size and time, so a new version gets a new copy; a copy under way never has the name. */
async function copied(from: string, bin: string, name: string, mode: number): Promise<string> {
  const { size, mtimeMs } = await stat(from);
  const key = createHash("sha256").update(`${from}\0${size}\0${mtimeMs}`).digest("hex").slice(0, 12);
  const to = join(bin, `${name}-${key}`);
  const present = await stat(to).catch(() => undefined);
  if (present?.size !== size) {
    const partial = `${to}.partial`;
    await rm(partial, { force: true });
    await copyFile(from, partial, constants.COPYFILE_FICLONE);
    await chmod(partial, mode);
    await rename(partial, to);
  }
  await chmod(to, mode);
  const copyOfName = new RegExp(`^${RegExp.escape(name)}-[0-9a-f]{12}(\\.partial)?$`);
  const old = (await readdir(bin)).filter((file) => copyOfName.test(file) && file !== basename(to));
  await Promise.all(old.map((file) => rm(join(bin, file), { force: true })));
  return to;
}

async function openTools({ tools, ids }: JailSettings, bin: string, isRoot: boolean): Promise<Mount[]> {
  const opened: Mount[] = [];
  for (const { from, to } of tools) {
    if (posix.normalize(to) !== to || !to.startsWith(`${inside.tools}/`))
      throw new JailError("bad-setting", `jail tools: "${to}" must be a path below ${inside.tools}.`);
    const real = await realpath(from).catch((cause: unknown) => {
      throw new JailError("bad-setting", `jail tools: there is no "${from}" on this machine.`, { cause });
    });
    const closed = isRoot ? await firstClosedFolder(real, ids.base) : undefined;
    if (closed === undefined) {
      opened.push({ from: real, to });
      continue;
    }
    if ((await stat(real)).isDirectory())
      throw new JailError(
        "folder-closed",
        `jail tools: other users may not enter ${closed}, so agents cannot use ${real}. Run: chmod o+x ${closed}, or move the tool elsewhere.`,
      );
    opened.push({ from: await copied(real, bin, `tool_${to.slice(1).replaceAll("/", "_")}`, 0o755), to });
  }
  return opened;
}

async function rootFolders(): Promise<Pick<Programs, "usrLinks" | "usrFolders">> {
  const names = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];
  const kinds = await Promise.all(names.map((name) => lstat(`/${name}`).catch(() => undefined)));
  return {
    usrLinks: names.filter((_, index) => kinds[index]?.isSymbolicLink()),
    usrFolders: names.filter((_, index) => kinds[index]?.isDirectory()),
  };
}
