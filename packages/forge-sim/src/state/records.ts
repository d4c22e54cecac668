/** Ordered from least to most; names as the API gives them. */
export const accessModes = ["none", "read", "write", "admin", "owner"] as const;
export type AccessMode = (typeof accessModes)[number];

export interface UserRecord {
  readonly id: number;
  readonly login: string;
  readonly fullName: string;
  readonly email: string;
  readonly admin: boolean;
  readonly organization: boolean;
  readonly createdAt: number;
}

export interface TokenRecord {
  readonly value: string;
  readonly userId: number;
  readonly scopes: ReadonlySet<string>;
  /** Repository ids; undefined: every repository of the user. */
  readonly repositories: ReadonlySet<number> | undefined;
}

export interface LabelRecord {
  readonly id: number;
  name: string;
  color: string;
  description: string;
  exclusive: boolean;
  archived: boolean;
}

export interface RepoRecord {
  readonly id: number;
  readonly ownerId: number;
  readonly owner: string;
  readonly name: string;
  readonly description: string;
  readonly private: boolean;
  archived: boolean;
  defaultBranch: string;
  readonly dir: string;
  readonly collaborators: Map<number, "read" | "write" | "admin">;
  readonly labels: Map<number, LabelRecord>;
  readonly issues: Map<number, IssueRecord>;
  readonly hooks: Map<number, HookRecord>;
  readonly statuses: StatusRecord[];
  /** Branches and tags by full name, as last seen in the bare repository. */
  refs: Map<string, string>;
  readonly createdAt: number;
  updatedAt: number;
}

export interface ReactionRecord {
  readonly userId: number;
  readonly content: string;
  readonly createdAt: number;
}

export interface IssueRecord {
  readonly id: number;
  readonly number: number;
  readonly repoId: number;
  readonly posterId: number;
  title: string;
  body: string;
  state: "open" | "closed";
  labels: number[];
  assignees: number[];
  readonly createdAt: number;
  updatedAt: number;
  closedAt: number | undefined;
  reactions: ReactionRecord[];
  readonly comments: Map<number, CommentRecord>;
  readonly pull: PullRecord | undefined;
}

export type PullIssue = IssueRecord & { readonly pull: PullRecord };

export interface PullRecord {
  readonly id: number;
  readonly headBranch: string;
  baseBranch: string;
  /** Kept when the branch is gone, as `refs/pull/N/head` keeps it. */
  headSha: string;
  mergeBase: string;
  additions: number;
  deletions: number;
  changedFiles: number;
  /** Undefined while the check is still to come. */
  mergeable: boolean | undefined;
  readonly reviews: Map<number, ReviewRecord>;
}

export type ReviewState = "APPROVED" | "REQUEST_CHANGES" | "COMMENT" | "PENDING";

export interface ReviewRecord {
  readonly id: number;
  readonly issue: PullIssue;
  readonly reviewerId: number;
  state: ReviewState;
  body: string;
  commitId: string;
  /** What was reviewed has changed since. */
  stale: boolean;
  /** A verdict by somebody who may write, and that person's last. */
  official: boolean;
  /** Its place in the conversation, by which its address is made. */
  anchor: number;
  readonly createdAt: number;
  updatedAt: number;
  readonly comments: ReviewCommentRecord[];
}

export interface ReviewCommentRecord {
  readonly id: number;
  readonly posterId: number;
  readonly path: string;
  /** Of the file as it is; below zero: of the file as it was. */
  readonly line: number;
  readonly body: string;
  /** The commit that wrote the line. */
  readonly commitId: string;
  readonly hunk: string;
  readonly createdAt: number;
}

export interface CommentRecord {
  readonly id: number;
  readonly issue: IssueRecord;
  readonly posterId: number;
  body: string;
  readonly createdAt: number;
  updatedAt: number;
  reactions: ReactionRecord[];
}

export interface HookRecord {
  readonly id: number;
  readonly type: string;
  url: string;
  contentType: string;
  readonly secret: string;
  events: ReadonlySet<string>;
  branchFilter: string;
  authorizationHeader: string;
  active: boolean;
  readonly createdAt: number;
  updatedAt: number;
}

export type StatusState = "pending" | "success" | "error" | "failure" | "warning";

export interface StatusRecord {
  readonly id: number;
  readonly sha: string;
  readonly state: StatusState;
  readonly context: string;
  readonly description: string;
  readonly targetUrl: string;
  readonly creatorId: number;
  readonly createdAt: number;
}
