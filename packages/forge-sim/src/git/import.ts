import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import type { FileContent } from "../options.ts";
import { git } from "./run.ts";

export interface ImportedCommit {
  branch: string;
  /** The branch's head, or what it shall start from; undefined: a first commit. */
  parent: string | undefined;
  /** Changes on top of the parent's files; `null` deletes. */
  files: Readonly<Record<string, FileContent | null>>;
  message: string;
  author: { name: string; email: string };
  /** Milliseconds since the epoch. */
  at: number;
}

/** Adds one commit to a branch of a bare repository without a work tree. */
export async function importCommit(dir: string, commit: ImportedCommit): Promise<void> {
  const who = `${commit.author.name} <${commit.author.email}> ${Math.floor(commit.at / 1000)} +0000`;
  const parts: (string | Uint8Array)[] = [
    `commit refs/heads/${commit.branch}\nauthor ${who}\ncommitter ${who}\n`,
    ...data(commit.message.endsWith("\n") ? commit.message : `${commit.message}\n`),
  ];
  if (commit.parent) parts.push(`from ${commit.parent}\n`);
  for (const [path, content] of Object.entries(commit.files)) {
    checkPath(path);
    parts.push(...(content === null ? [`D ${JSON.stringify(path)}\n`] : fileParts(path, content)));
  }
  parts.push("\n");
  await git(dir, ["fast-import", "--quiet", "--force", "--date-format=raw"], Buffer.concat(parts.map(bytes)));
}

function fileParts(path: string, content: FileContent): (string | Uint8Array)[] {
  const executable = typeof content === "object" && "executable" in content && content.executable;
  const body = typeof content === "object" && "executable" in content ? content.content : content;
  return [`M ${executable ? "100755" : "100644"} inline ${JSON.stringify(path)}\n`, ...data(body)];
}

const bytes = (part: string | Uint8Array): Uint8Array => (typeof part === "string" ? Buffer.from(part) : part);

function data(body: string | Uint8Array): (string | Uint8Array)[] {
  const content = bytes(body);
  return [`data ${content.length}\n`, content, "\n"];
}

function checkPath(path: string): void {
  const parts = path.split("/");
  const bad = parts.some((part) => part === "" || part === "." || part === ".." || part === ".git");
  if (bad || path.includes("\n")) throw new Error(`file path ${JSON.stringify(path)}: a path inside the repository`);
}

const leftOut = new Set([".git", "node_modules"]);

/** The files of a folder, with their executable bit. */
export async function readFolder(folder: string): Promise<Record<string, FileContent>> {
  const files: Record<string, FileContent> = {};
  const walk = async (dir: string): Promise<void> => {
    for (const entry of await readdir(dir, { withFileTypes: true })) {
      const path = join(dir, entry.name);
      if (leftOut.has(entry.name)) continue;
      if (entry.isDirectory()) await walk(path);
      if (!entry.isFile()) continue;
      const file = Bun.file(path);
      const { mode } = await file.stat();
      files[relative(folder, path)] = { content: await file.bytes(), executable: (mode & 0o100) !== 0 };
    }
  };
  await walk(folder);
  if (Object.keys(files).length === 0) throw new Error(`${folder} holds no file for the first commit`);
  return files;
}
