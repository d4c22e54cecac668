import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface TextFile {
  /** File name without its folder. */
  file: string;
  text: string;
}

/** The files of a folder with this ending, by name in byte order; a folder that is not there has none. */
export function readFolder(folder: string, ending: string): TextFile[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return names
    .filter((name) => name.endsWith(ending))
    .toSorted()
    .map((file) => ({ file, text: readFileSync(join(folder, file), "utf8") }));
}
