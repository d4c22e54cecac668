import { z } from "zod";
import type { Actor, Observation, RepositoryRef, ReviewVerdict, Snapshot } from "../../domain/event.ts";
import type { Normalised } from "../../domain/forge.ts";
import type { ForgeId } from "../../domain/ids.ts";
import type { RawDelivery } from "../factory.ts";
import { normaliseRun } from "./actions.ts";
import { commentRef, issueSnapshot, pullSnapshot } from "./convert.ts";
import { noInterest, observed, orUnreadable, RepositoryName, repositoryRef, unknownAction } from "./reading.ts";
import { ForgejoComment, ForgejoIssue, ForgejoPull, Person } from "./schemas.ts";

type SubjectAction = Extract<Observation, { kind: "subject" }>["action"];
type Reader = (payload: unknown, forge: ForgeId) => Normalised;

const commonFields = { action: z.string(), repository: RepositoryName, sender: Person };

const stateActions: Readonly<Record<string, SubjectAction>> = {
  opened: "opened",
  edited: "edited",
  closed: "closed",
  reopened: "reopened",
};
const assignActions: Readonly<Record<string, SubjectAction>> = { assigned: "assigned", unassigned: "unassigned" };
/** Forgejo says only that the set changed. */
const labelActions: Readonly<Record<string, SubjectAction>> = {
  label_updated: "labels_changed",
  label_cleared: "labels_changed",
};
const reviewRequestActions: Readonly<Record<string, SubjectAction>> = {
  review_requested: "review_requested",
  review_request_removed: "review_request_removed",
};

const IssuePayload = z.object({ ...commonFields, issue: ForgejoIssue });
const PullPayload = z.object({
  ...commonFields,
  pull_request: ForgejoPull,
  requested_reviewer: z.object({ id: z.int(), login: z.string() }).nullish(),
  review: z.object({ content: z.string() }).nullish(),
});
const CommentPayload = z.object({
  ...commonFields,
  issue: ForgejoIssue,
  pull_request: ForgejoPull.nullish(),
  comment: ForgejoComment,
});
const PushPayload = z.object({
  repository: RepositoryName,
  sender: Person,
  ref: z.string(),
  before: z.string(),
  after: z.string(),
});

/** Keyed on Event-Type: Event alone calls an ordinary comment on a pull request and a comment review the same. */
const readers: Readonly<Record<string, Reader>> = {
  issues: issueReader(stateActions),
  issue_assign: issueReader(assignActions),
  issue_label: issueReader(labelActions),
  issue_milestone: () => noInterest("milestones are not followed"),
  pull_request: pullReader(stateActions),
  pull_request_assign: pullReader(assignActions),
  pull_request_label: pullReader(labelActions),
  pull_request_milestone: () => noInterest("milestones are not followed"),
  pull_request_sync: pullReader({ synchronized: "synchronized" }),
  pull_request_review_request: pullReader(reviewRequestActions),
  issue_comment: readComment,
  pull_request_comment: readComment,
  pull_request_review_approved: reviewReader("approved"),
  pull_request_review_rejected: reviewReader("changes_requested"),
  pull_request_review_comment: reviewReader("commented"),
  push: readPush,
  action_run_success: normaliseRun,
  // Sent beside the success of the same run; both make one event.
  action_run_recover: normaliseRun,
  action_run_failure: normaliseRun,
  create: () => noInterest("a new branch or tag shows in its push"),
  delete: () => noInterest("deleted branches and tags are not followed"),
  fork: () => noInterest("forks are not followed"),
  release: () => noInterest("releases are not followed"),
  repository: () => noInterest("the making and deleting of repositories is not followed"),
  wiki: () => noInterest("wikis are not followed"),
  package: () => noInterest("packages are not followed"),
};

/** Never throws: what a payload promises and does not hold is `unreadable`, with the path of the fault. */
export function normaliseForgejo({ forge, eventType, payload }: RawDelivery): Normalised {
  const reader = Object.hasOwn(readers, eventType) ? readers[eventType] : undefined;
  if (reader === undefined) return noInterest(`"${eventType.slice(0, 60)}" is no event type of Forgejo that we know`);
  return reader(payload, forge);
}

function issueReader(actions: Readonly<Record<string, SubjectAction>>): Reader {
  return (payload, forge) =>
    orUnreadable(IssuePayload, payload, ({ action, issue, repository, sender }) => {
      const known = actions[action];
      if (known === undefined) return unknownAction(action);
      return subject(repositoryRef(forge, repository), sender, known, issueSnapshot(issue), null);
    });
}

function pullReader(actions: Readonly<Record<string, SubjectAction>>): Reader {
  return (payload, forge) =>
    orUnreadable(PullPayload, payload, ({ action, pull_request, repository, sender, requested_reviewer }) => {
      const known = actions[action];
      if (known === undefined) return unknownAction(action);
      const reviewer = requested_reviewer ?? null;
      return subject(repositoryRef(forge, repository), sender, known, pullSnapshot(pull_request), reviewer);
    });
}

const subject = (
  repository: RepositoryRef,
  actor: Actor,
  action: SubjectAction,
  snapshot: Snapshot,
  reviewer: Actor | null,
): Normalised => observed({ repository, actor, kind: "subject", action, subject: snapshot, reviewer });

function readComment(payload: unknown, forge: ForgeId): Normalised {
  return orUnreadable(CommentPayload, payload, ({ action, issue, pull_request, comment, repository, sender }) => {
    if (action !== "created" && action !== "edited" && action !== "deleted") return unknownAction(action);
    return observed({
      repository: repositoryRef(forge, repository),
      actor: sender,
      kind: "comment",
      action,
      subject: pull_request == null ? issueSnapshot(issue) : pullSnapshot(pull_request),
      comment: commentRef(comment),
    });
  });
}

function reviewReader(verdict: ReviewVerdict): Reader {
  return (payload, forge) =>
    orUnreadable(PullPayload, payload, ({ action, pull_request, repository, sender, review }) => {
      if (action !== "reviewed") return unknownAction(action);
      return observed({
        repository: repositoryRef(forge, repository),
        actor: sender,
        kind: "review",
        verdict,
        subject: pullSnapshot(pull_request),
        body: review?.content ?? "",
      });
    });
}

const branchPrefix = "refs/heads/";
const isZero = (sha: string) => /^0+$/.test(sha);

function readPush(payload: unknown, forge: ForgeId): Normalised {
  return orUnreadable(PushPayload, payload, ({ ref, before, after, repository, sender }) => {
    if (!ref.startsWith(branchPrefix)) return noInterest("only pushes to branches are followed, not tags");
    if (isZero(after)) return noInterest("deleted branches and tags are not followed");
    const branch = ref.slice(branchPrefix.length);
    return observed({
      repository: repositoryRef(forge, repository),
      actor: sender,
      kind: "push",
      branch,
      before,
      after,
    });
  });
}
