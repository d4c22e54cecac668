import type { StoredEntry, TranscriptEntry } from "../domain/transcript.ts";
import { seqStep } from "../domain/transcript.ts";

/** One line of a transcript as the SDK passes it; its form is the agent runtime's own. */
export interface TranscriptLine {
  type: string;
  uuid?: string;
  [field: string]: unknown;
}

/** Null for what is no line: cut off, garbled, or of another form. */
export function parseLine(json: string | null): TranscriptLine | null {
  if (json === null) return null;
  try {
    const line = JSON.parse(json) as unknown;
    if (typeof line !== "object" || line === null || Array.isArray(line)) return null;
    return typeof (line as { type?: unknown }).type === "string" ? (line as TranscriptLine) : null;
  } catch {
    return null;
  }
}

/** Whether the agent can go on from a transcript with this line: something was said in it, by either side. */
export function isConversation(line: TranscriptLine | null): boolean {
  if (line === null || (line.type !== "user" && line.type !== "assistant")) return false;
  return typeof line["message"] === "object" && line["message"] !== null && typeof line.uuid === "string";
}

/** Longer ones are no ids of the agent's runtime. */
const maxUuid = 64;
const ownMark = "#";

/** The line's own id, where it has one; else one that the writer gives it. */
export function keyOf(line: TranscriptLine, own: string): string {
  const { uuid } = line;
  if (typeof uuid === "string" && uuid !== "" && uuid.length <= maxUuid && !uuid.startsWith(ownMark)) return uuid;
  return `${ownMark}${own}`;
}

const isOwnKey = (key: string): boolean => key.startsWith(ownMark);

/**
 * What a local transcript has and the stored one lacks, each at its place between what is stored. Nothing stored is
 * changed: where the two differ in an entry, the stored one stands. A line without an id is the same as a stored one
 * with the same text.
 */
export function missingEntries(
  stored: readonly StoredEntry[],
  local: readonly TranscriptLine[],
  newKey: () => string,
): (TranscriptEntry & { seq: number })[] {
  const known = new Map(stored.filter(({ key }) => !isOwnKey(key)).map(({ key, seq }) => [key, seq]));
  const unnamed = Map.groupBy(
    stored.filter(({ key }) => isOwnKey(key)),
    ({ json }) => json,
  );
  const missing: (TranscriptEntry & { seq: number })[] = [];
  let after = 0;
  let waiting: TranscriptEntry[] = [];
  const put = (): void => {
    if (waiting.length === 0) return;
    missing.push(...placed(waiting, after, nextAfter(stored, after)));
    waiting = [];
  };
  for (const line of local) {
    const json = JSON.stringify(line);
    const key = keyOf(line, newKey());
    const seq = isOwnKey(key) ? unnamed.get(json)?.shift()?.seq : known.get(key);
    if (seq === undefined) {
      if (!isOwnKey(key)) known.set(key, after);
      waiting.push({ key, json });
      continue;
    }
    put();
    after = Math.max(after, seq);
  }
  put();
  return missing;
}

function nextAfter(stored: readonly StoredEntry[], after: number): number | null {
  return stored.find(({ seq }) => seq > after)?.seq ?? null;
}

/** Spread between two neighbours; behind all where the room is used up or there is no next one. */
function placed(entries: readonly TranscriptEntry[], after: number, next: number | null) {
  const step = next === null ? seqStep : Math.floor((next - after) / (entries.length + 1));
  return entries.map((entry, index) => ({ ...entry, seq: after + Math.max(step, 1) * (index + 1) }));
}
