import type { ForgeEvent } from "../domain/event.ts";
import { type Forge, ForgeError } from "../domain/forge.ts";
import type { EventId, ForgeId } from "../domain/ids.ts";
import type { InboxEntry } from "../domain/inbox.ts";
import type { LaneReset } from "../domain/lane.ts";
import type { InlineComment, Review } from "../domain/review.ts";
import type { Run } from "../domain/run.ts";
import { tierOf } from "../domain/tier.ts";
import { createEventStore } from "../infrastructure/database/events.ts";
import type { Database } from "../infrastructure/database/handle.ts";
import { createLaneStore } from "../infrastructure/database/lanes.ts";
import { createRunStore } from "../infrastructure/database/runs.ts";

type ReviewForge = Pick<Forge, "reviews" | "reviewComments">;

/** Events with the tiers that their authors had when they were decided (who was not asked for is an outsider), and reviews with their remarks. */
export async function entriesOf(
  db: Database,
  forgeOf: (forge: ForgeId) => ReviewForge,
  ids: readonly EventId[],
): Promise<InboxEntry[]> {
  const store = createEventStore(db);
  const [events, facts] = await Promise.all([store.getMany(ids), store.facts(ids)]);
  return await Promise.all(
    events.map(async (event): Promise<InboxEntry> => {
      const entry = { event, tier: tierOf(facts.get(event.id)?.actorPermission ?? null) };
      if (event.kind !== "review.submitted") return entry;
      return { ...entry, inline: await inlineComments(forgeOf(event.repository.forge), event) };
    }),
  );
}

type ReviewEvent = Pick<
  Extract<ForgeEvent, { kind: "review.submitted" }>,
  "repository" | "actor" | "verdict" | "body" | "subject"
>;

async function inlineComments(forge: ReviewForge, event: ReviewEvent): Promise<readonly InlineComment[] | null> {
  const { repository, subject } = event;
  try {
    const reviews = await forge.reviews(repository.name, subject.number);
    const meant = reviewsOf(event, reviews);
    if (meant.length === 0) return null;
    const remarks = meant.map(({ id }) => forge.reviewComments(repository.name, subject.number, id));
    return (await Promise.all(remarks)).flat();
  } catch (error) {
    if (!(error instanceof ForgeError)) throw error;
    return null;
  }
}

/**
 * A webhook of Forgejo names no review: it is the reviewer's that says the same, of the second in which the pull request
 * changed. Remarks made one by one are reviews without words, of which those of one second are one event. Where none is of
 * that second, the newest.
 */
export function reviewsOf({ actor, verdict, body, subject }: ReviewEvent, reviews: readonly Review[]): Review[] {
  const same = reviews.filter((one) => one.author.id === actor.id && one.verdict === verdict && one.body === body);
  const then = same.filter(({ submittedAt }) => secondOf(submittedAt) === secondOf(subject.updatedAt));
  return then.length > 0 ? then : same.slice(-1);
}

const secondOf = (at: number): number => Math.floor(at / 1_000);

const recentRuns = 50;

/**
 * The reset that came after the lane's last run with a session had begun. A run that was under way then has written its
 * session again: it is dropped here, before anybody could resume it.
 */
export async function forgottenBefore(db: Database, run: Run): Promise<LaneReset | null> {
  const reset = await createLaneStore(db).lastReset(run.lane);
  if (reset === null) return null;
  const runs = await createRunStore(db).list({ lane: run.lane, limit: recentRuns });
  const earlier = runs.find(({ id, session }) => id !== run.id && session !== null);
  if (earlier !== undefined && earlier.startedAt > reset.at) return null;
  await db.kysely.deleteFrom("sessions").where("lane", "=", run.lane).execute();
  return reset;
}
