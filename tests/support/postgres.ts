import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** PostgreSQL refuses to run as root: there it runs as `nobody`. */
const unprivileged = 65534;
const isRoot = process.getuid?.() === 0;
const cache = resolve(import.meta.dirname, "../../node_modules/.cache/claude-hooks");

/**
 * A server of this test process alone, on a socket in its own folder, started by the first call. It ends with the
 * process, however that ends, and takes its folder with it.
 */
let server: Promise<Server> | null = null;
let databases = 0;

interface Server {
  bin: string;
  sockets: string;
}

/** The address of a new, empty database. */
export async function freshPostgres(): Promise<string> {
  server ??= start();
  const { bin, sockets } = await server;
  databases += 1;
  const name = `test_${databases}`;
  await succeed([join(bin, "createdb"), "--host", sockets, "--username", "postgres", name]);
  return `postgres://postgres@/${name}?host=${encodeURIComponent(sockets)}`;
}

async function start(): Promise<Server> {
  const bin = newestBin();
  const template = await templateOf(bin);
  const home = mkdtempSync(join(reachableFolder(), "pg-"));
  await succeed(["cp", "-R", template, join(home, "data")]);
  if (isRoot) await succeed(["chown", "-R", `${unprivileged}:${unprivileged}`, home]);
  await supervise(bin, home);
  return { bin, sockets: home };
}

/**
 * The shell waits on a pipe that only this process holds: when the process is gone, killed too, the pipe ends and the
 * shell stops the server and removes the folder.
 */
const supervisor = `
  trap '' INT TERM HUP
  "$@" &
  server=$!
  read -r _
  kill -QUIT $server
  wait $server
  rm -rf "$HOME_OF_SERVER"
`;

async function supervise(bin: string, home: string): Promise<void> {
  const settings = {
    listen_addresses: "",
    unix_socket_directories: home,
    fsync: "off",
    synchronous_commit: "off",
    full_page_writes: "off",
    shared_buffers: "16MB",
    max_connections: "100",
    max_wal_size: "64MB",
    autovacuum: "off",
    jit: "off",
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const command = asUnprivileged([join(bin, "postgres"), "-D", join(home, "data"), ...flags]);
  const child = Bun.spawn(["/bin/sh", "-c", supervisor, "supervisor", ...command], {
    cwd: home,
    env: { ...process.env, HOME_OF_SERVER: home },
    stdin: "pipe",
    stdout: "ignore",
    stderr: "pipe",
    detached: true,
  });
  child.unref();
  await ready(child.stderr);
}

/** Reads on for ever, since a full pipe would stop the server. */
async function ready(stderr: ReadableStream<Uint8Array>): Promise<void> {
  const { promise, resolve: isReady, reject } = Promise.withResolvers<void>();
  void (async () => {
    const decoder = new TextDecoder();
    let said = "";
    let up = false;
    for await (const chunk of stderr) {
      if (up) continue;
      said += decoder.decode(chunk, { stream: true });
      up = said.includes("ready to accept connections");
      if (up) isReady();
    }
    reject(new Error(`PostgreSQL did not start:\n${said}`));
  })();
  return promise;
}

/** `initdb` takes seconds, a copy of what it made does not; made once for a version and user, and moved into place whole. */
async function templateOf(bin: string): Promise<string> {
  const version = /(\d+)\/bin$/.exec(bin)?.[1] ?? "unknown";
  const template = join(cache, `postgres-${version}-${process.getuid?.() ?? 0}`);
  if (existsSync(template)) return template;
  mkdirSync(cache, { recursive: true });
  const home = mkdtempSync(join(reachableFolder(), "pg-init-"));
  try {
    if (isRoot) chownSync(home, unprivileged, unprivileged);
    // A language's order of letters, not the bytes': a forgotten collation shows.
    const locale = Number(version) >= 15 ? ["--locale-provider", "icu", "--icu-locale", "en-US"] : [];
    const flags = [
      "--username",
      "postgres",
      "--auth",
      "trust",
      "--no-sync",
      "--encoding",
      "UTF8",
      "--wal-segsize",
      "1",
    ];
    const command = [join(bin, "initdb"), "--pgdata", join(home, "data"), ...flags, "--locale", "C.UTF-8", ...locale];
    await succeed(asUnprivileged(command), home);
    const copy = mkdtempSync(join(cache, "copy-"));
    await succeed(["cp", "-R", join(home, "data"), copy]);
    try {
      renameSync(join(copy, "data"), template);
    } catch (error) {
      // Another test process was first.
      if (!existsSync(template)) throw error;
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
    return template;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function newestBin(): string {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? readdirSync(root).filter((name) => /^\d+$/.test(name)) : [];
  const newest = versions.toSorted((left, right) => Number(right) - Number(left))[0];
  const bin = join(root, newest ?? "", "bin");
  if (newest === undefined || !existsSync(join(bin, "postgres")))
    throw new Error(`no PostgreSQL server under ${root}: install it with "apt-get install postgresql"`);
  return bin;
}

/** A temporary folder in which the unprivileged user can come to its own. */
function reachableFolder(): string {
  const folder = [tmpdir(), "/tmp", "/var/tmp"].find((path) => !isRoot || isReachable(path));
  if (folder === undefined)
    throw new Error(`no temporary folder that uid ${unprivileged} may enter: set TMPDIR to one`);
  return folder;
}

function isReachable(path: string): boolean {
  const others = 0o001;
  if (!existsSync(path) || (statSync(path).mode & others) === 0) return false;
  return path === "/" || isReachable(dirname(path));
}

const asUnprivileged = (command: readonly string[]): string[] =>
  isRoot
    ? ["setpriv", `--reuid=${unprivileged}`, `--regid=${unprivileged}`, "--clear-groups", "--", ...command]
    : [...command];

async function succeed(command: readonly string[], cwd = "/"): Promise<void> {
  const child = Bun.spawn([...command], { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [said, complaint, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`${command.join(" ")}: exit code ${code}\n${said}${complaint}`);
}
