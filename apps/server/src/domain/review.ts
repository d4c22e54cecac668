import type { Actor, ReviewVerdict } from "./event.ts";

export interface Review {
  id: number;
  author: Actor;
  verdict: ReviewVerdict;
  body: string;
  /** Milliseconds since the epoch, by the forge's clock. */
  submittedAt: number;
}

/** A remark on a line of a pull request's diff. */
export interface InlineComment {
  path: string;
  /** Of the file: as it is now, or as it was where the line is gone; null where the forge names none. */
  line: { number: number; side: "new" | "old" } | null;
  body: string;
  /** The part of the diff that it stands below. */
  hunk: string;
}
