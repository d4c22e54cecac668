import type { Effect, EffectBody, EffectResult, Precondition } from "../domain/effect.ts";
import type { CommentRef } from "../domain/event.ts";
import { type Forge, ForgeError, type PullRequest } from "../domain/forge.ts";
import { commentResult, type Found, type LookUpForge, lookUp, pullResult, refreshed, withMarker } from "./look-up.ts";

/** The forge as the effect's author sees it. */
export type EffectForge = LookUpForge &
  Pick<
    Forge,
    | "issue"
    | "branchHead"
    | "createPullRequest"
    | "updatePullRequest"
    | "createComment"
    | "updateComment"
    | "addReaction"
  >;

export type Performed = { kind: "done"; result: EffectResult } | { kind: "superseded"; why: string };

/**
 * Writes an effect unless it is there already. Looking comes first, before the preconditions too: what an earlier try wrote and
 * never heard of is done, though the branch moved or the issue was closed since. Rejects with what the forge answered.
 */
export async function perform(
  forge: EffectForge,
  repo: string,
  { body, preconditions }: Pick<Effect, "body" | "preconditions">,
): Promise<Performed> {
  const found = await lookUp(forge, repo, body);
  if (found.kind === "done") return found;
  const broken = await brokenPrecondition(forge, repo, preconditions);
  if (broken !== null) return { kind: "superseded", why: broken };
  try {
    return { kind: "done", result: await write(forge, repo, body, found) };
  } catch (error) {
    if (body.kind === "react" && error instanceof ForgeError && error.kind === "not-found")
      return { kind: "superseded", why: "the comment was deleted in the meantime" };
    return { kind: "done", result: await afterRefusal(forge, repo, body, error) };
  }
}

/** What a lost answer or a conflict left behind; rejects with `error` where that is nothing. */
async function afterRefusal(forge: EffectForge, repo: string, body: EffectBody, error: unknown): Promise<EffectResult> {
  if (!(error instanceof ForgeError) || !(error.ambiguous || error.kind === "conflict")) throw error;
  const found = await lookUp(forge, repo, body).catch(() => null);
  if (found?.kind === "done") return found.result;
  if (found?.kind === "differs" && error.kind === "conflict") return await write(forge, repo, body, found);
  throw error;
}

async function brokenPrecondition(
  forge: EffectForge,
  repo: string,
  preconditions: readonly Precondition[],
): Promise<string | null> {
  for (const precondition of preconditions) {
    const broken = await check(forge, repo, precondition);
    if (broken !== null) return broken;
  }
  return null;
}

async function check(forge: EffectForge, repo: string, precondition: Precondition): Promise<string | null> {
  switch (precondition.kind) {
    case "issue_open": {
      const { state } = await forge.issue(repo, precondition.number);
      return state === "open" ? null : `#${precondition.number} was closed in the meantime`;
    }
    case "branch_head": {
      const { branch, sha } = precondition;
      const head = await forge.branchHead(repo, branch);
      if (head === sha) return null;
      return head === null
        ? `the branch ${branch} was deleted in the meantime`
        : `the branch ${branch} moved in the meantime, from ${sha} to ${head}`;
    }
    default:
      return precondition satisfies never;
  }
}

type Undone = Exclude<Found, { kind: "done" }>;

async function write(forge: EffectForge, repo: string, body: EffectBody, found: Undone): Promise<EffectResult> {
  switch (body.kind) {
    case "open_pull_request":
      if (found.kind === "differs" && "pull" in found) return await adopt(forge, repo, body, found.pull);
      return await open(forge, repo, body);
    case "upsert_comment":
      if (found.kind === "differs" && "comment" in found) return await rewrite(forge, repo, body, found.comment);
      return commentResult(await forge.createComment(repo, body.number, withMarker(body)));
    case "react":
      await forge.addReaction(repo, body.commentId, body.content);
      return { kind: "reaction", url: body.url };
    default:
      return body satisfies never;
  }
}

type Opening = Extract<EffectBody, { kind: "open_pull_request" }>;

async function open(forge: EffectForge, repo: string, opening: Opening): Promise<EffectResult> {
  const { head, base, title } = opening;
  return pullResult(await forge.createPullRequest(repo, { head, base, title, body: withMarker(opening) }));
}

/** One of ours gets the newer summary; one that a person opened for our branch keeps its title and gets our text below theirs. */
async function adopt(forge: EffectForge, repo: string, opening: Opening, pull: PullRequest): Promise<EffectResult> {
  const ours = withMarker(opening);
  const theirs = pull.body === "" ? ours : `${pull.body}\n\n${ours}`;
  const body = pull.body.includes(opening.marker) ? refreshed(pull.body, opening.body) : theirs;
  return pullResult(await forge.updatePullRequest(repo, pull.number, { body }));
}

type Upsert = Extract<EffectBody, { kind: "upsert_comment" }>;

async function rewrite(forge: EffectForge, repo: string, upsert: Upsert, comment: CommentRef): Promise<EffectResult> {
  try {
    return commentResult(await forge.updateComment(repo, comment.id, withMarker(upsert)));
  } catch (error) {
    // Deleted since it was looked up.
    if (!(error instanceof ForgeError) || error.kind !== "not-found") throw error;
    return commentResult(await forge.createComment(repo, upsert.number, withMarker(upsert)));
  }
}
