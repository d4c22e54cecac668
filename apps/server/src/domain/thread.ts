import type { ForgeId, ThreadId } from "./ids.ts";

/** One piece of work: an issue and the pull request that we opened for it, or a person's pull request alone. */
export interface Thread {
  id: ThreadId;
  forge: ForgeId;
  repositoryId: number;
  /** `owner/repo` when last seen. */
  repository: string;
  /** The number it is shown by: the issue's, or the person's pull request's. */
  number: number;
  kind: "issue" | "pull_request";
}
