import type { CommentRef } from "../domain/event.ts";
import { ForgeError } from "../domain/forge.ts";
import type { RebuiltFrom, Remains } from "../domain/rebuild.ts";
import type { RunBase } from "../domain/run.ts";
import type { SessionStart } from "../domain/session.ts";
import { type Tier, tierOf } from "../domain/tier.ts";
import type { PlaceRequest, RunDeps } from "./ports.ts";

type Deps = Pick<RunDeps, "forge" | "history" | "runs" | "isOurs" | "numbers" | "log">;

/** Of our own comments, those that only tell people what we do. */
const bookkeeping = "<!-- claude-hooks:";
const latestComments = 60;
const earlierRuns = 20;

/** Whether the agent of this start has lost what it once remembered: a first start has nothing to lose, and a reset is wanted. */
export const isLost = (start: SessionStart): boolean => start.kind === "fresh" && start.reason !== "none";

export const rebuiltFrom = ({ comments, diff, summary }: Remains): RebuiltFrom => ({
  comments: comments.length,
  diff: diff !== "",
  summary: summary !== null,
});

/** What a lost session's work can be rebuilt from. What cannot be read is left out: a run with less is better than none. */
export async function gatherRemains(
  deps: Deps,
  place: PlaceRequest,
  base: RunBase,
  /** Comments that the prompt tells of, or the next one. */
  untold: ReadonlySet<number>,
): Promise<Remains> {
  const [summary, comments, history] = await Promise.all([
    lastSummary(deps, place),
    orElse(deps, place, "the thread's comments", () => threadComments(deps, place, untold), []),
    orElse(deps, place, "the branch's history", () => deps.history(place, base), { log: "", diff: "" }),
  ]);
  return { summary, comments, ...history };
}

async function lastSummary({ runs }: Deps, { run }: PlaceRequest): Promise<string | null> {
  const earlier = (await runs.ofLane(run.lane, earlierRuns)).filter(({ id }) => id !== run.id);
  return earlier.map(({ report }) => report?.summary ?? "").find((summary) => summary !== "") ?? null;
}

async function threadComments(
  deps: Deps,
  { thread }: PlaceRequest,
  untold: ReadonlySet<number>,
): Promise<Remains["comments"]> {
  const forge = deps.forge(thread);
  const numbers = await deps.numbers(thread.id);
  const pages = await Promise.all(numbers.map((number) => forge.comments(thread.repository, number)));
  const comments = pages
    .flat()
    .filter(({ id, body }) => !untold.has(id) && !body.includes(bookkeeping))
    .toSorted((one, other) => one.createdAt - other.createdAt || one.id - other.id)
    .slice(-latestComments);
  const tiers = new Map<string, Tier | "agent">();
  for (const { author } of comments) {
    if (!tiers.has(author.login)) tiers.set(author.login, await tierOfAuthor(deps, thread, author.login));
  }
  return comments.map(({ author, createdAt, body }: CommentRef) => ({
    author: author.login,
    tier: tiers.get(author.login) ?? "outsider",
    at: createdAt,
    body,
  }));
}

async function tierOfAuthor(deps: Deps, thread: PlaceRequest["thread"], login: string): Promise<Tier | "agent"> {
  if (deps.isOurs(thread, login)) return "agent";
  try {
    return tierOf(await deps.forge(thread).permission(thread.repository, login));
  } catch (error) {
    if (!(error instanceof ForgeError)) throw error;
    return "outsider";
  }
}

async function orElse<T>(
  deps: Deps,
  { run }: PlaceRequest,
  what: string,
  read: () => Promise<T>,
  otherwise: T,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    deps.log.warn({ runId: run.id, error }, `a lost session is rebuilt without ${what}`);
    return otherwise;
  }
}
