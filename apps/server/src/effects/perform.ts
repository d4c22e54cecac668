import type { Effect, EffectBody, EffectResult, Precondition } from "../domain/effect.ts";
import { type Forge, ForgeError, type PullRequest } from "../domain/forge.ts";

/** The forge as the effect's author sees it. */
export type EffectForge = Pick<
  Forge,
  | "issue"
  | "branchHead"
  | "findPullRequest"
  | "createPullRequest"
  | "updatePullRequest"
  | "comments"
  | "createComment"
  | "updateComment"
  | "currentUser"
>;

/** Why an effect is not to be sent any more; null where everything still holds. */
export async function brokenPrecondition(forge: EffectForge, repo: string, effect: Effect): Promise<string | null> {
  for (const precondition of effect.preconditions) {
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
      const head = await forge.branchHead(repo, precondition.branch);
      return head === precondition.sha ? null : `the branch ${precondition.branch} moved in the meantime`;
    }
    default:
      return precondition satisfies never;
  }
}

/** Looks first whether it is done already, so that a lost answer or a crash never makes a second one. */
export async function perform(forge: EffectForge, repo: string, body: EffectBody): Promise<EffectResult> {
  switch (body.kind) {
    case "open_pull_request":
      return await openPullRequest(forge, repo, body);
    case "upsert_comment":
      return await upsertComment(forge, repo, body);
    default:
      return body satisfies never;
  }
}

type Opening = Extract<EffectBody, { kind: "open_pull_request" }>;

async function openPullRequest(forge: EffectForge, repo: string, opening: Opening): Promise<EffectResult> {
  const { head, base, title, body } = opening;
  const open = await forge.findPullRequest(repo, base, head);
  if (open !== null) return await taken(forge, repo, opening, open);
  try {
    const made = await forge.createPullRequest(repo, { head, base, title, body });
    return { kind: "pull_request", number: made.number, url: made.url };
  } catch (error) {
    if (!(error instanceof ForgeError) || error.kind !== "conflict") throw error;
    const other = await forge.findPullRequest(repo, base, head);
    if (other === null) throw error;
    return await taken(forge, repo, opening, other);
  }
}

/** One that a person opened for our branch keeps its title, and gets our text below theirs. */
async function taken(forge: EffectForge, repo: string, opening: Opening, open: PullRequest): Promise<EffectResult> {
  if (!open.body.includes(opening.marker)) {
    const body = open.body === "" ? opening.body : `${open.body}\n\n${opening.body}`;
    await forge.updatePullRequest(repo, open.number, { body });
  }
  return { kind: "pull_request", number: open.number, url: open.url };
}

type Upsert = Extract<EffectBody, { kind: "upsert_comment" }>;

async function upsertComment(
  forge: EffectForge,
  repo: string,
  { number, marker, body }: Upsert,
): Promise<EffectResult> {
  const [me, comments] = await Promise.all([forge.currentUser(), forge.comments(repo, number)]);
  // Anybody can write our marker; only what our own user wrote is ours to rewrite.
  const ours = comments.find((comment) => comment.author.id === me.id && comment.body.includes(marker));
  if (ours === undefined) {
    const made = await forge.createComment(repo, number, body);
    return { kind: "comment", id: made.id, url: made.url };
  }
  if (ours.body !== body) await forge.updateComment(repo, ours.id, body);
  return { kind: "comment", id: ours.id, url: ours.url };
}
