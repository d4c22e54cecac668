import type { EventBody, Observation, Snapshot } from "../domain/event.ts";
import { keys } from "./keys.ts";
import { compareSets, type SetChange } from "./sets.ts";

export interface Delta {
  /** Unique on all forges: {@link keys}. */
  semanticKey: string;
  body: EventBody;
}

export interface Change {
  /** What is known from now on; null where that stays as it is. */
  snapshot: Snapshot | null;
  events: Delta[];
}

type SubjectObservation = Extract<Observation, { kind: "subject" }>;
type Keyed = [key: string, body: EventBody];

/**
 * What an observation adds to what was known (`previous`: null at first sight). Assigned users and labels come from the
 * sets, everything else from the action; a snapshot never moves to an older `updatedAt`.
 */
export function deltas(previous: Snapshot | null, observation: Observation): Change {
  const { snapshot, events } = changeOf(previous, observation);
  return {
    snapshot,
    events: events.map(([key, body]) => ({ semanticKey: keys.in(observation.repository, key), body })),
  };
}

function changeOf(previous: Snapshot | null, observation: Observation): { snapshot: Snapshot | null; events: Keyed[] } {
  switch (observation.kind) {
    case "push": {
      const { branch, before, after } = observation;
      return { snapshot: null, events: [[keys.push(observation), { kind: "push", branch, before, after }]] };
    }
    case "ci": {
      const { outcome, runId, headSha, branch, name } = observation;
      const body: EventBody = { kind: "ci.completed", outcome, runId, headSha, branch, name };
      return { snapshot: null, events: [[keys.ci(observation), body]] };
    }
    case "subject":
    case "comment":
    case "review": {
      const seen = withBranches(previous, observation.subject);
      const change = compareSets(previous, observation.kind === "subject" ? observation.action : "mentioned", seen);
      return { snapshot: change.snapshot, events: [...named(observation, seen), ...bySets(seen, change)] };
    }
    default:
      return observation satisfies never;
  }
}

/** An issue's JSON does not hold the branches of a pull request: those known stay. */
function withBranches(previous: Snapshot | null, seen: Snapshot): Snapshot {
  if (seen.pull !== null || previous?.pull == null) return seen;
  return { ...seen, issueId: previous.issueId, pull: previous.pull };
}

/** The event that the action itself is. */
function named(observation: Exclude<Observation, { kind: "push" | "ci" }>, subject: Snapshot): Keyed[] {
  switch (observation.kind) {
    case "comment": {
      const { comment, action } = observation;
      return [[keys.comment(comment, action), { kind: `comment.${action}`, subject, comment }]];
    }
    case "review": {
      const { verdict, body } = observation;
      return [[keys.review({ ...observation, subject }), { kind: "review.submitted", subject, verdict, body }]];
    }
    case "subject":
      return namedBySubject(observation, subject);
    default:
      return observation satisfies never;
  }
}

function namedBySubject({ action, reviewer }: SubjectObservation, subject: Snapshot): Keyed[] {
  const at = subject.updatedAt;
  switch (action) {
    case "opened":
      return [[keys.of(subject, "opened"), { kind: `${subject.kind}.opened`, subject }]];
    case "edited":
      return [[keys.edited(subject), { kind: `${subject.kind}.edited`, subject }]];
    case "closed":
      if (subject.pull?.merged === true)
        return [[keys.of(subject, "merged"), { kind: "pull_request.merged", subject }]];
      return [[keys.of(subject, "closed", at), { kind: `${subject.kind}.closed`, subject }]];
    case "reopened":
      return [[keys.of(subject, "reopened", at), { kind: `${subject.kind}.reopened`, subject }]];
    case "synchronized":
      if (subject.pull === null) return [];
      return [[keys.of(subject, "synchronized", subject.pull.headSha), { kind: "pull_request.synchronized", subject }]];
    case "review_requested":
    case "review_request_removed":
      // Null where a team was asked: agents are users.
      if (reviewer === null) return [];
      return [[keys.of(subject, action, reviewer.id, at), { kind: `pull_request.${action}`, subject, reviewer }]];
    case "assigned":
    case "unassigned":
    case "labels_changed":
    case "seen":
      return [];
    default:
      return action satisfies never;
  }
}

function bySets(subject: Snapshot, { assigned, unassigned, labeled, unlabeled }: SetChange): Keyed[] {
  const at = subject.updatedAt;
  const { kind } = subject;
  return [
    ...assigned.map(
      (assignee): Keyed => [
        keys.of(subject, "assigned", assignee.id, at),
        { kind: `${kind}.assigned`, subject, assignee },
      ],
    ),
    ...unassigned.map(
      (assignee): Keyed => [
        keys.of(subject, "unassigned", assignee.id, at),
        { kind: `${kind}.unassigned`, subject, assignee },
      ],
    ),
    ...labeled.map(
      (label): Keyed => [keys.of(subject, "labeled", label, at), { kind: `${kind}.labeled`, subject, label }],
    ),
    ...unlabeled.map(
      (label): Keyed => [keys.of(subject, "unlabeled", label, at), { kind: `${kind}.unlabeled`, subject, label }],
    ),
  ];
}
