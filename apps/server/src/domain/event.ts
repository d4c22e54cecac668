import type { DeliveryId, EventId, ForgeId, ThreadId } from "./ids.ts";

/** A user of the forge. `id` is the forge's numeric id: logins change. */
export interface Actor {
  id: number;
  login: string;
}

/** A repository by the forge's numeric id; `name` (`owner/repo`) is what it was called when the event was made. */
export interface RepositoryRef {
  forge: ForgeId;
  id: number;
  name: string;
}

/** What is known of an issue or pull request at one time; deltas are computed from two of them. */
export interface Snapshot {
  kind: "issue" | "pull_request";
  /** The forge's id of the issue or of the pull request: unique among its kind only, so keys go by repository and number. */
  issueId: number;
  number: number;
  title: string;
  body: string;
  author: Actor;
  state: "open" | "closed";
  labels: string[];
  assignees: Actor[];
  /** Of a pull request only. A head in another repository is `owner:branch`, which no branch of ours can be called (`:` is not allowed in a ref). */
  pull: { headBranch: string; headSha: string; baseBranch: string; merged: boolean; draft: boolean } | null;
  /** Milliseconds since the epoch, by the forge's clock. */
  createdAt: number;
  updatedAt: number;
  /** Of a stored snapshot only. */
  untold?: Untold;
}

/**
 * What the first sight of an issue showed without saying when it came to be (a comment was the first that we heard of it).
 * An `assigned` or `opened` that comes late, and is not younger than that first sight, may still make events of these.
 */
export interface Untold {
  /** The `updatedAt` of the first sight. */
  seenAt: number;
  /** User ids. */
  assignees: number[];
  labels: string[];
}

export interface CommentRef {
  id: number;
  body: string;
  author: Actor;
  url: string;
  createdAt: number;
  updatedAt: number;
}

/**
 * What one delivery or one look at the forge says, in no forge's words: the state it shows and the action it names.
 * Assigned users and labels are not in it: forges send full sets only, so the deltas come from the snapshots.
 */
export type Observation = { repository: RepositoryRef; actor: Actor } & (
  | {
      kind: "subject";
      action:
        | "opened"
        | "edited"
        | "closed"
        | "reopened"
        | "assigned"
        | "unassigned"
        | "labels_changed"
        | "synchronized"
        | "review_requested"
        | "review_request_removed"
        | "seen";
      subject: Snapshot;
      reviewer: Actor | null;
    }
  | { kind: "comment"; action: "created" | "edited" | "deleted"; subject: Snapshot; comment: CommentRef }
  | { kind: "review"; verdict: ReviewVerdict; subject: Snapshot; body: string }
  | { kind: "push"; branch: string; before: string; after: string }
  | {
      kind: "ci";
      outcome: "success" | "failure";
      runId: number;
      headSha: string;
      branch: string;
      name: string;
      /** By the forge's clock: a run that is started again keeps its id. */
      finishedAt: number;
    }
);

export type ReviewVerdict = "approved" | "changes_requested" | "commented";

/** The happening itself; every kind that flows can name in `on`. */
export type EventBody =
  | { kind: "issue.opened" | "issue.edited" | "issue.closed" | "issue.reopened"; subject: Snapshot }
  | { kind: "issue.assigned" | "issue.unassigned"; subject: Snapshot; assignee: Actor }
  | { kind: "issue.labeled" | "issue.unlabeled"; subject: Snapshot; label: string }
  | {
      kind:
        | "pull_request.opened"
        | "pull_request.edited"
        | "pull_request.closed"
        | "pull_request.merged"
        | "pull_request.reopened"
        | "pull_request.synchronized";
      subject: Snapshot;
    }
  | { kind: "pull_request.assigned" | "pull_request.unassigned"; subject: Snapshot; assignee: Actor }
  | { kind: "pull_request.labeled" | "pull_request.unlabeled"; subject: Snapshot; label: string }
  | {
      kind: "pull_request.review_requested" | "pull_request.review_request_removed";
      subject: Snapshot;
      reviewer: Actor;
    }
  | { kind: "comment.created" | "comment.edited" | "comment.deleted"; subject: Snapshot; comment: CommentRef }
  | { kind: "review.submitted"; subject: Snapshot; verdict: ReviewVerdict; body: string }
  | { kind: "push"; branch: string; before: string; after: string }
  | {
      kind: "ci.completed";
      outcome: "success" | "failure";
      runId: number;
      headSha: string;
      branch: string;
      name: string;
    };

export type EventKind = EventBody["kind"];

/** A happening in our own words, the same for every forge. Webhook, replay and poll of the same happening share `semanticKey`, which is unique. */
export type ForgeEvent = {
  id: EventId;
  semanticKey: string;
  repository: RepositoryRef;
  /** Null where the event belongs to no issue or pull request (a push, a CI run). */
  thread: ThreadId | null;
  actor: Actor;
  /** Milliseconds since the epoch, by our clock: when we learned of it. */
  receivedAt: number;
  /** Null for events that no webhook brought. */
  delivery: DeliveryId | null;
} & EventBody;
