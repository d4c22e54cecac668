import { type Dirent, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface TextFile {
  /** File name without its folder. */
  file: string;
  text: string;
}

/** The files of a folder, by name in byte order, hidden ones left out; a folder that is not there has none. */
export function readFolder(folder: string): TextFile[] {
  return entriesOf(folder)
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .toSorted()
    .map((file) => ({ file, text: readFileSync(join(folder, file), "utf8") }));
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
