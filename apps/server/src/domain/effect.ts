import type { Reaction } from "./forge.ts";
import type { EffectId, ForgeId, RunId, ThreadId } from "./ids.ts";

/** What an effect writes. `marker` is hidden in the text, so that a write whose answer was lost can be found again. */
export type EffectBody =
  | { kind: "open_pull_request"; head: string; base: string; title: string; body: string; marker: string }
  | { kind: "upsert_comment"; number: number; marker: string; body: string }
  /** `url` is the comment's. */
  | { kind: "react"; commentId: number; content: Reaction; url: string };

/** What must still hold when an effect is sent; if it does not, the effect is superseded, and says so. */
export type Precondition =
  | { kind: "issue_open"; number: number }
  | { kind: "branch_head"; branch: string; sha: string };

export type EffectState = "pending" | "sending" | "done" | "superseded" | "parked";

export type EffectResult =
  | { kind: "pull_request"; number: number; url: string }
  | { kind: "comment"; id: number; url: string }
  | { kind: "reaction"; url: string };

/** One write to the forge: stored first, then performed once. `key` is unique, so storing it again changes nothing. */
export interface Effect {
  id: EffectId;
  key: string;
  forge: ForgeId;
  /** Whose token writes it: an agent type's name, or `service`. */
  author: string;
  repositoryId: number;
  thread: ThreadId;
  run: RunId | null;
  body: EffectBody;
  preconditions: Precondition[];
  state: EffectState;
  attempts: number;
  nextAttemptAt: number;
  result: EffectResult | null;
  /** Why it is superseded or parked, or what the last try met. */
  error: string | null;
  createdAt: number;
}
