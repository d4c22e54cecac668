import type { Actor, CommentRef, Observation, Snapshot } from "./event.ts";
import type { InlineComment, Review } from "./review.ts";

/** What a user may do in a repository; `none` also where the forge says that there is no such user. */
export type Permission = "none" | "read" | "write" | "admin";

export const canWrite = (permission: Permission): boolean => permission === "write" || permission === "admin";

/** By the names that forges share: Forgejo, Gitea and GitHub have these. */
export type Reaction = "eyes" | "+1" | "confused";

export interface PullRequest {
  number: number;
  url: string;
  state: "open" | "closed";
  merged: boolean;
  title: string;
  body: string;
  author: Actor;
  headBranch: string;
  headSha: string;
  baseBranch: string;
}

export interface NewPullRequest {
  head: string;
  base: string;
  title: string;
  body: string;
}

/** A repository as the forge names it now; look-ups go by this name, which {@link Forge.repository} gets from the numeric id. */
export interface RepositoryInfo {
  id: number;
  /** `owner/repo`. */
  name: string;
  defaultBranch: string;
  cloneUrl: string;
  webUrl: string;
  archived: boolean;
}

/**
 * One forge, seen by one of its users. Every method rejects with a {@link ForgeError} and nothing else; `repo` is `owner/repo`.
 * Nothing in it retries: who calls knows whether a second try is safe.
 */
export interface Forge {
  /** Where the forge's pages are, without a slash at the end. */
  readonly webUrl: string;
  currentUser(): Promise<Actor>;
  repository(id: number): Promise<RepositoryInfo>;
  permission(repo: string, login: string): Promise<Permission>;
  issue(repo: string, number: number): Promise<Snapshot>;
  pullRequest(repo: string, number: number): Promise<PullRequest>;
  /** The open pull request from `head` into `base`, or null. */
  findPullRequest(repo: string, base: string, head: string): Promise<PullRequest | null>;
  createPullRequest(repo: string, pull: NewPullRequest): Promise<PullRequest>;
  updatePullRequest(repo: string, number: number, change: { title?: string; body?: string }): Promise<PullRequest>;
  /** All comments, oldest first, every page of them. */
  comments(repo: string, number: number): Promise<CommentRef[]>;
  createComment(repo: string, number: number, body: string): Promise<CommentRef>;
  updateComment(repo: string, commentId: number, body: string): Promise<CommentRef>;
  /** All submitted reviews, oldest first. */
  reviews(repo: string, number: number): Promise<Review[]>;
  reviewComments(repo: string, number: number, review: number): Promise<InlineComment[]>;
  /** To a comment on an issue or a pull request. The same one again changes nothing. */
  addReaction(repo: string, commentId: number, content: Reaction): Promise<void>;
  /** The commit that the branch points at, or null where there is no such branch. */
  branchHead(repo: string, branch: string): Promise<string | null>;
  /** The authorisation header that git over HTTP needs, e.g. `Basic …`: a secret, for the environment of a git process only. */
  gitAuthorization(): string;
}

/** `ambiguous` is set where the request may have been carried out all the same: no answer came, or a 5xx did. */
export class ForgeError extends Error {
  override readonly name = "ForgeError";
  readonly kind: ForgeErrorKind;
  readonly status: number | null;
  readonly ambiguous: boolean;
  /** From Retry-After, where the forge named it. */
  readonly retryAfterMs: number | null;

  constructor(
    message: string,
    detail: { kind: ForgeErrorKind; status: number | null; ambiguous: boolean; retryAfterMs?: number | null },
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.kind = detail.kind;
    this.status = detail.status;
    this.ambiguous = detail.ambiguous;
    this.retryAfterMs = detail.retryAfterMs ?? null;
  }
}

export type ForgeErrorKind =
  | "unauthorized"
  | "forbidden"
  | "not-found"
  | "conflict"
  | "invalid"
  | "archived"
  | "rate-limited"
  | "unavailable"
  | "unexpected-answer";

/** What a forge adapter makes of one delivery. `no-interest` says why; `unreadable` is a payload that is not what its event type promises. */
export type Normalised =
  | { kind: "observation"; observation: Observation }
  | { kind: "no-interest"; reason: string }
  | { kind: "unreadable"; reason: string };
