import { constants } from "node:fs";
import { type FileHandle, mkdir, open, opendir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isSafe } from "./transcripts.ts";
import { parseLine, type TranscriptLine } from "./transcripts-lines.ts";

export interface LocalTranscript {
  /** Empty for the session's own, else a sub-agent's. */
  subpath: string;
  lines: TranscriptLine[];
}

export interface LocalSession {
  projectKey: string;
  session: string;
  /** Of all its files together; beyond it the rest is not read. */
  maxBytes: number;
}

/** Sub-agents have a folder of their own kind each, not a tree. */
const maxDepth = 4;
const maxFiles = 500;
const maxNames = 5_000;

const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
// A pipe put there would block the reader for ever.
const fileFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Reads a session's transcripts from a configuration folder of the agent's. The agent's own user writes there, so no
 * link is followed at any place below `parent`, nothing but plain files is read, and never more than `maxBytes`. What
 * is not there is no fault.
 */
export async function readTranscriptFolder(
  { parent, name }: { parent: string; name: string },
  { projectKey, session, maxBytes }: LocalSession,
): Promise<LocalTranscript[]> {
  await using opened = new AsyncDisposableStack();
  const enter = async (from: FileHandle, child: string): Promise<FileHandle | null> => {
    const folder = await openIn(from, child, folderFlags);
    if (folder !== null) opened.defer(() => folder.close());
    return folder;
  };
  const root = await open(parent, folderFlags);
  opened.defer(() => root.close());
  let project: FileHandle | null = root;
  for (const child of [name, "projects", projectKey]) project = project && (await enter(project, child));
  if (project === null) return [];
  const reading = { left: maxBytes, files: maxFiles };
  const found: LocalTranscript[] = [];
  const main = await readLines(project, `${session}.jsonl`, reading);
  if (main !== null) found.push({ subpath: "", lines: main });
  const own = await enter(project, session);
  if (own !== null) await readSubAgents({ folder: own, path: "", depth: 0 }, { reading, found, enter });
  return found;
}

/** The other way round, into a folder that must not be there yet: nobody's link can stand in its way. */
export async function writeTranscriptFolder(
  { parent, name }: { parent: string; name: string },
  { projectKey, session }: Pick<LocalSession, "projectKey" | "session">,
  transcripts: readonly LocalTranscript[],
): Promise<void> {
  if (!/^[\w-]+$/.test(session)) throw new Error(`"${session}" is no session's id, and so no file's name`);
  await mkdir(join(parent, name), { mode: 0o700 });
  const project = join(parent, name, "projects", projectKey);
  for (const { subpath, lines } of transcripts) {
    const path = join(project, subpath === "" ? session : join(session, subpath));
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const said = lines.filter(({ type }) => type !== metaType);
    await writeFile(`${path}.jsonl`, said.map((line) => `${JSON.stringify(line)}\n`).join(""), { mode: 0o600 });
    const meta = lines.findLast(({ type }) => type === metaType);
    if (meta === undefined) continue;
    const { type: _, ...about } = meta;
    await writeFile(`${path}.meta.json`, JSON.stringify(about), { mode: 0o600 });
  }
}

/** What the SDK calls the line that stands for a sub-agent's `.meta.json`. */
const metaType = "agent_metadata";

interface Reading {
  left: number;
  files: number;
}

interface Walk {
  reading: Reading;
  found: LocalTranscript[];
  enter(from: FileHandle, child: string): Promise<FileHandle | null>;
}

interface Place {
  folder: FileHandle;
  path: string;
  depth: number;
}

async function readSubAgents({ folder, path, depth }: Place, walk: Walk): Promise<void> {
  for (const entry of await namesIn(folder)) {
    const at = path === "" ? entry.name : `${path}/${entry.name}`;
    if (!isSafe(at)) continue;
    if (entry.isFolder && depth < maxDepth) {
      const inner = await walk.enter(folder, entry.name);
      if (inner !== null) await readSubAgents({ folder: inner, path: at, depth: depth + 1 }, walk);
    }
    if (path === "" || !entry.name.endsWith(".jsonl")) continue;
    const lines = await readLines(folder, entry.name, walk.reading);
    if (lines === null) continue;
    const about = await readText(folder, entry.name.replace(/\.jsonl$/, ".meta.json"), walk.reading);
    const meta = about === null ? null : asObject(about);
    const subpath = at.replace(/\.jsonl$/, "");
    walk.found.push({ subpath, lines: meta === null ? lines : [...lines, { type: metaType, ...meta }] });
  }
}

function asObject(text: string): object | null {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

async function namesIn(folder: FileHandle): Promise<{ name: string; isFolder: boolean }[]> {
  const names: { name: string; isFolder: boolean }[] = [];
  for await (const entry of await opendir(pathOf(folder))) {
    names.push({ name: entry.name, isFolder: entry.isDirectory() });
    if (names.length >= maxNames) break;
  }
  return names.toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

async function readLines(folder: FileHandle, name: string, reading: Reading): Promise<TranscriptLine[] | null> {
  const text = await readText(folder, name, reading);
  return text === null
    ? null
    : text
        .split("\n")
        .map(parseLine)
        .filter((line) => line !== null);
}

async function readText(folder: FileHandle, name: string, reading: Reading): Promise<string | null> {
  if (reading.files <= 0 || reading.left <= 0) return null;
  const file = await openIn(folder, name, fileFlags);
  if (file === null) return null;
  try {
    const found = await file.stat();
    if (!found.isFile()) return null;
    const bytes = Buffer.alloc(Math.min(found.size, reading.left));
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    reading.files -= 1;
    reading.left -= filled;
    return bytes.subarray(0, filled).toString("utf8");
  } finally {
    await file.close();
  }
}

/** Relative to a folder that is open: what its name leads to by now does not matter. */
async function openIn(folder: FileHandle, name: string, flags: number): Promise<FileHandle | null> {
  try {
    return await open(`${pathOf(folder)}/${name}`, flags);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Not there, a link, no folder, or a socket.
    if (["ENOENT", "ELOOP", "ENOTDIR", "ENXIO", "EACCES"].includes(code ?? "")) return null;
    throw error;
  }
}

const pathOf = (folder: FileHandle): string => `/proc/self/fd/${folder.fd}`;
