import type { Actor, Observation, Snapshot, Untold } from "../domain/event.ts";

/** `mentioned`: a comment or review carries the issue along without saying that anything in it changed. */
export type SetAction = Extract<Observation, { kind: "subject" }>["action"] | "mentioned";

export interface SetChange {
  assigned: Actor[];
  unassigned: Actor[];
  labeled: string[];
  unlabeled: string[];
  /** What is known from now on; null where that stays as it is. */
  snapshot: Snapshot | null;
}

type Sets = Omit<SetChange, "snapshot">;

const noChange: Sets = { assigned: [], unassigned: [], labeled: [], unlabeled: [] };

/**
 * Deltas of the assignees and labels. Forges send whole sets, with times of whole seconds and in no promised order, so:
 * what is older than the snapshot says nothing about now; of the same second, only what the action names is believed;
 * `opened` is the first thing that happened, whenever it arrives, and so never takes anything away.
 */
export function compareSets(previous: Snapshot | null, action: SetAction, seen: Snapshot): SetChange {
  if (previous === null) return firstSight(action, seen);
  const told = toldLate(previous, action, seen);
  const age = Math.sign(seen.updatedAt - previous.updatedAt);
  const fresh = age < 0 ? noChange : believed(difference(previous, seen), action, age === 0);
  const sets: Sets = {
    ...fresh,
    assigned: [...told.assigned, ...fresh.assigned],
    labeled: [...told.labeled, ...fresh.labeled],
  };
  // A new snapshot also where only what is still untold changes.
  if (age < 0) return { ...sets, snapshot: isEmpty(told) ? null : withUntold(previous, previous.untold, told) };
  const newest = age === 0 && action === "opened" ? previous : seen;
  const known: Snapshot = {
    ...newest,
    assignees: applied(previous.assignees, fresh.assigned, fresh.unassigned, ({ id }) => id),
    labels: applied(previous.labels, fresh.labeled, fresh.unlabeled, (label) => label),
  };
  return { ...sets, snapshot: withUntold(known, previous.untold, sets) };
}

/** Who is assigned, and what is labelled, by an `opened` or `assigned` that nothing came before, was not before. */
function firstSight(action: SetAction, seen: Snapshot): SetChange {
  const assigned = action === "opened" || action === "assigned" ? seen.assignees : [];
  const labeled = action === "opened" ? seen.labels : [];
  const all = { seenAt: seen.updatedAt, assignees: seen.assignees.map(({ id }) => id), labels: seen.labels };
  const sets = { ...noChange, assigned, labeled };
  return { ...sets, snapshot: withUntold(seen, all, sets) };
}

/** What the first sight showed without a cause, and this late delivery is the cause of. */
function toldLate({ untold }: Snapshot, action: SetAction, seen: Snapshot): Pick<Sets, "assigned" | "labeled"> {
  const isCause = action === "opened" || (action === "assigned" && seen.updatedAt <= (untold?.seenAt ?? 0));
  if (untold === undefined || !isCause) return { assigned: [], labeled: [] };
  return {
    assigned: seen.assignees.filter(({ id }) => untold.assignees.includes(id)),
    labeled: action === "opened" ? seen.labels.filter((label) => untold.labels.includes(label)) : [],
  };
}

function difference(previous: Snapshot, seen: Snapshot): Sets {
  return {
    assigned: without(seen.assignees, previous.assignees, ({ id }) => id),
    unassigned: without(previous.assignees, seen.assignees, ({ id }) => id),
    labeled: without(seen.labels, previous.labels, (label) => label),
    unlabeled: without(previous.labels, seen.labels, (label) => label),
  };
}

function believed(sets: Sets, action: SetAction, sameSecond: boolean): Sets {
  if (action === "opened") return { ...sets, unassigned: [], unlabeled: [] };
  if (!sameSecond || action === "seen") return sets;
  if (action === "assigned") return { ...noChange, assigned: sets.assigned };
  if (action === "unassigned") return { ...noChange, unassigned: sets.unassigned };
  if (action === "labels_changed") return { ...noChange, labeled: sets.labeled, unlabeled: sets.unlabeled };
  return noChange;
}

/** `untold` less what is told now, and what is not there any more. */
function withUntold(
  snapshot: Snapshot,
  untold: Untold | undefined,
  told: Pick<Sets, "assigned" | "labeled">,
): Snapshot {
  const { untold: _, ...bare } = snapshot;
  if (untold === undefined) return bare;
  const assigned = new Set(told.assigned.map(({ id }) => id));
  const present = new Set(snapshot.assignees.map(({ id }) => id));
  const left: Untold = {
    seenAt: untold.seenAt,
    assignees: untold.assignees.filter((id) => present.has(id) && !assigned.has(id)),
    labels: untold.labels.filter((label) => snapshot.labels.includes(label) && !told.labeled.includes(label)),
  };
  return left.assignees.length + left.labels.length === 0 ? bare : { ...bare, untold: left };
}

const isEmpty = ({ assigned, labeled }: Pick<Sets, "assigned" | "labeled">) => assigned.length + labeled.length === 0;

function without<T>(items: readonly T[], others: readonly T[], key: (item: T) => unknown): T[] {
  const gone = new Set(others.map(key));
  return items.filter((item) => !gone.has(key(item)));
}

function applied<T>(items: readonly T[], added: readonly T[], removed: readonly T[], key: (item: T) => unknown): T[] {
  return [...without(items, removed, key), ...added];
}
