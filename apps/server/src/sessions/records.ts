import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import type { SessionId } from "../domain/ids.ts";

/** A session as a sessions file names it. */
export interface SessionEntry {
  /** The key as it stands in the file. */
  key: string;
  agentType: string;
  /** Only where the key says so. */
  forge: string | null;
  /** `owner/repo`. */
  repository: string;
  number: number;
  id: SessionId;
  /** Milliseconds since the epoch. */
  lastUsedAt: number;
}

export type SessionFile =
  /** `faults` tell, each with its place, what else is in it; the entries are good all the same. */
  | { kind: "read"; entries: SessionEntry[]; faults: string[] }
  /** It is no JSON object, so that nothing of it can be trusted. */
  | { kind: "unreadable"; fault: string };

const keyPattern = /^([a-z][a-z0-9-]{0,31}):(?:([a-z][a-z0-9-]{0,31})\/)?([^\s/:#]+\/[^\s/:#]+)[:#]([1-9]\d{0,14})$/;

/**
 * Reads the record format, `{"dev:owner/repo#12": {"id": "…", "last_used_at": 1700000000000}}`, and what came before it:
 * `:` before the number, and a bare session id, which counts as last used at 0. `file` is its name, for the faults.
 */
export function readSessionFile(text: string, file: string): SessionFile {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const [error] = errors;
  if (error !== undefined || root === undefined) {
    const what = error === undefined ? "it is empty" : `not JSON (${printParseErrorCode(error.error)})`;
    return { kind: "unreadable", fault: `${placeOf(text, error?.offset ?? 0, file)}: ${what}` };
  }
  if (root.type !== "object")
    return { kind: "unreadable", fault: `${file}: expected an object of sessions, found ${root.type}` };
  const entries: SessionEntry[] = [];
  const faults: string[] = [];
  for (const property of root.children ?? []) {
    const found = entryOf(property);
    if (typeof found === "string") faults.push(`${placeOf(text, property.offset, file)}: ${found}`);
    else entries.push(found);
  }
  return { kind: "read", entries, faults };
}

function entryOf({ children: [name, value] = [] }: Node): SessionEntry | string {
  const key = String(name?.value);
  const [, agentType, forge = null, repository, number] = keyPattern.exec(key) ?? [];
  if (agentType === undefined || repository === undefined)
    return `"${key}": expected a key such as dev:owner/repo#12 or dev:owner/repo:12`;
  const record = value === undefined ? null : recordOf(value);
  if (record === null)
    return `"${key}": expected {"id": a session id, "last_used_at": milliseconds since 1970}, or a session id alone`;
  return { key, agentType, forge, repository, number: Number(number), ...record };
}

function recordOf(value: Node): Pick<SessionEntry, "id" | "lastUsedAt"> | null {
  if (value.type === "string") return isId(value.value) ? { id: value.value, lastUsedAt: 0 } : null;
  if (value.type !== "object") return null;
  const id: unknown = findNodeAtLocation(value, ["id"])?.value;
  const lastUsedAt: unknown = findNodeAtLocation(value, ["last_used_at"])?.value;
  if (!isId(id) || !Number.isSafeInteger(lastUsedAt) || Number(lastUsedAt) < 0) return null;
  return { id, lastUsedAt: Number(lastUsedAt) };
}

const isId = (value: unknown): value is SessionId => typeof value === "string" && /^[\w-]{1,100}$/.test(value);

/** `sessions.json:3:14`, as editors jump to it. */
function placeOf(text: string, offset: number, file: string): string {
  const before = text.slice(0, offset).split("\n");
  return `${file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

/** The record format. */
export type SessionFileContent = Record<string, { id: SessionId; last_used_at: number }>;
