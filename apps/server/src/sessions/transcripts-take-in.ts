import { randomUUID } from "node:crypto";
import type { TranscriptEntry, TranscriptRef, TranscriptSize } from "../domain/transcript.ts";
import { entriesOf, type TranscriptReader } from "./transcripts.ts";
import type { LocalTranscript } from "./transcripts-folder.ts";
import { missingEntries } from "./transcripts-lines.ts";

interface TakeInStore extends Pick<TranscriptReader, "page"> {
  append(
    ref: TranscriptRef,
    subpath: string,
    entries: readonly (TranscriptEntry & { seq: number })[],
  ): Promise<TranscriptSize>;
}

/** Lines of one transaction. */
const batchSize = 200;

/** Stores what local transcripts have and the stored ones lack, and answers how many lines that were. Safe to call again. */
export async function takeIn(
  store: TakeInStore,
  ref: TranscriptRef,
  transcripts: readonly LocalTranscript[],
): Promise<number> {
  let taken = 0;
  for (const { subpath, lines } of transcripts) {
    const stored = await Array.fromAsync(entriesOf(store, ref, subpath));
    const writer = randomUUID();
    let lineNumber = 0;
    const missing = missingEntries(stored, lines, () => `${writer}/${(lineNumber += 1)}`);
    for (let start = 0; start < missing.length; start += batchSize)
      await store.append(ref, subpath, missing.slice(start, start + batchSize));
    taken += missing.length;
  }
  return taken;
}
