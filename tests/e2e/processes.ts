import { readdir, readFile, readlink } from "node:fs/promises";
import { until } from "./until.ts";

export interface SeenProcess {
  pid: number;
  parent: number;
  /** Clock ticks since boot: with it a number that is used again is told apart. */
  startedAt: string;
  /** Of its pid namespace; null where we may not look. */
  namespace: string | null;
}

/** A process and all that descend from it, into their jails. */
export async function processTree(root: number): Promise<SeenProcess[]> {
  const all = await everyProcess();
  const tree = all.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
}

/** The pid namespaces of the tree that are not our own: one for each jail. */
export async function jailsIn(tree: readonly SeenProcess[]): Promise<Set<string>> {
  const own = await readlink("/proc/self/ns/pid");
  return new Set(tree.flatMap(({ namespace }) => (namespace === null || namespace === own ? [] : [namespace])));
}

/** Waits until nothing of the tree is there any more, nor anything that was started in its jails meanwhile. */
export async function untilGone(tree: readonly SeenProcess[]): Promise<void> {
  const jails = await jailsIn(tree);
  const known = new Set(tree.map(identity));
  let left: SeenProcess[] = [];
  await until(
    "every process of the killed service to be gone",
    async () => {
      left = (await everyProcess()).filter(
        (process) => known.has(identity(process)) || (process.namespace !== null && jails.has(process.namespace)),
      );
      return left.length === 0 ? true : null;
    },
    () => left.map(({ pid, parent }) => `${pid} (of ${parent})`).join(", "),
  );
}

const identity = ({ pid, startedAt }: SeenProcess): string => `${pid} since ${startedAt}`;

async function everyProcess(): Promise<SeenProcess[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const seen = await Promise.all(pids.map((pid) => look(Number(pid))));
  return seen.filter((process) => process !== null);
}

async function look(pid: number): Promise<SeenProcess | null> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  // Behind the name, which is in brackets and may hold anything: state, parent, …, and the start as the 20th.
  const [state, parent, ...rest] = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
  if (state === undefined || parent === undefined || state === "Z") return null;
  const namespace = await readlink(`/proc/${pid}/ns/pid`).catch(() => null);
  return { pid, parent: Number(parent), startedAt: rest[17] ?? "", namespace };
}
