import type { LaneKey, SessionId } from "./ids.ts";

/** Whose transcript it is: both count, so that a lane never reads or writes what another one's session of that name holds. */
export interface TranscriptRef {
  lane: LaneKey;
  session: SessionId;
}

/** One line of a transcript; the same `key` is the same line, however often it comes. */
export interface TranscriptEntry {
  key: string;
  /** Untrusted: the agent wrote it. */
  json: string;
}

export interface StoredEntry {
  key: string;
  /** Ascends along the transcript; between two neighbours there is room for others. */
  seq: number;
  /** Null where what is stored cannot be read. */
  json: string | null;
}

export interface TranscriptSize {
  entries: number;
  /** Of the lines as JSON text. */
  bytes: number;
  /** It reached its limit: nothing more is stored, and the session is not resumed. */
  full: boolean;
}

/** What a look at the stored transcript of a session finds. */
export type TranscriptFound =
  | { kind: "readable" }
  | { kind: "missing"; detail: string }
  | { kind: "full"; detail: string };

/** The distance of two neighbours' `seq`: whatever was missed finds its place between them. */
export const seqStep = 2 ** 20;
