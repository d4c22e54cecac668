import { dirname } from "node:path";
import { inside } from "./inside.ts";
import type { Programs } from "./programs.ts";
import type { JailLimits, Mount } from "./settings.ts";

export interface JailedCommand {
  programs: Programs;
  limits: JailLimits;
  /** Null where the service is no root: everything then runs as its own user. */
  identity: { uid: number; gid: number } | null;
  /** Holds passwd, group, hosts, nsswitch.conf and gitconfig of our own making. */
  etc: string;
  checkout: string;
  home: string;
  readOnly: readonly Mount[];
  writable: readonly Mount[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  command: readonly string[];
  /** In a terminal of its own making, instead of pipes. */
  terminal: boolean;
}

/** The whole argument list of a jailed command; the order of the mounts matters, later ones cover earlier ones. */
export function jailArguments(jailed: JailedCommand): string[] {
  return [
    ...limited(jailed),
    ...dropped(jailed),
    jailed.programs.bwrap,
    ...namespaces,
    // Without a session of its own a command can type into its terminal: into that one it may, it is nobody else's.
    ...(jailed.terminal ? [] : ["--new-session"]),
    ...systemMounts(jailed),
    ...laneMounts(jailed),
    "--chdir",
    jailed.cwd,
    ...Object.entries(jailed.env).flatMap(([name, value]) => ["--setenv", name, value]),
    "--remount-ro",
    "/",
    "--",
    inside.init,
    "--",
    // Set inside, so that it counts the jail's own processes and not all those of the user (Linux 5.14 and later).
    jailed.programs.prlimit,
    `--nproc=${jailed.limits.processes}`,
    "--",
    ...jailed.command,
  ];
}

const namespaces = [
  "--as-pid-1",
  "--unshare-all",
  "--unshare-user",
  "--disable-userns",
  "--die-with-parent",
  "--cap-drop",
  "ALL",
  "--clearenv",
  "--hostname",
  "agent",
];

function limited({ programs, limits }: JailedCommand): string[] {
  return [
    programs.prlimit,
    `--fsize=${limits.fileBytes}`,
    `--cpu=${limits.cpuSeconds}`,
    `--nofile=${limits.openFiles}`,
    "--core=0",
    "--",
  ];
}

function dropped({ programs, identity }: JailedCommand): string[] {
  if (identity === null) return [programs.setpriv, "--no-new-privs", "--"];
  return [
    programs.setpriv,
    `--reuid=${identity.uid}`,
    `--regid=${identity.gid}`,
    "--clear-groups",
    "--inh-caps=-all",
    "--no-new-privs",
    "--",
  ];
}

function systemMounts({ etc, limits, programs }: JailedCommand): string[] {
  const tmp = String(limits.tmpBytes);
  return [
    // Folders that bwrap makes for a mount point are 0700 unless they are made before it.
    ...["/etc", "/home", "/opt", "/run"].flatMap((folder) => ["--perms", "0755", "--dir", folder]),
    "--ro-bind",
    "/usr",
    "/usr",
    ...programs.usrLinks.flatMap((name) => ["--symlink", `usr/${name}`, `/${name}`]),
    ...programs.usrFolders.flatMap((name) => ["--ro-bind", `/${name}`, `/${name}`]),
    ...["/etc/ssl", "/etc/ca-certificates", "/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime"].flatMap(
      (path) => ["--ro-bind-try", path, path],
    ),
    ...etcFiles.flatMap((name) => ["--ro-bind", `${etc}/${name}`, `/etc/${name}`]),
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    "--perms",
    "1777",
    "--size",
    tmp,
    "--tmpfs",
    "/dev/shm",
    "--remount-ro",
    "/dev",
    "--perms",
    "1777",
    "--size",
    tmp,
    "--tmpfs",
    "/tmp",
  ];
}

export const etcFiles = ["passwd", "group", "hosts", "nsswitch.conf", "gitconfig"] as const;

function laneMounts({ programs, checkout, home, readOnly, writable }: JailedCommand): string[] {
  return [
    "--bind",
    home,
    inside.home,
    "--bind",
    checkout,
    inside.checkout,
    "--ro-bind",
    programs.agent,
    inside.agent,
    "--ro-bind",
    programs.init,
    inside.init,
    ...[...programs.tools, ...readOnly].flatMap(({ from, to }) => [...openParent(to), "--ro-bind", from, to]),
    ...writable.flatMap(({ from, to }) => [...openParent(to), "--bind", from, to]),
  ];
}

const openParent = (to: string): string[] => (dirname(to) === "/" ? [] : ["--perms", "0755", "--dir", dirname(to)]);
