import type { EffectBody, EffectResult } from "../domain/effect.ts";
import type { CommentRef } from "../domain/event.ts";
import type { Forge, PullRequest } from "../domain/forge.ts";

/** How far the forge is with an effect already: forges have no idempotency keys, so this is asked before every write. */
export type Found =
  | { kind: "done"; result: EffectResult }
  | { kind: "absent" }
  /** There, and not as the effect wants it. */
  | { kind: "differs"; pull: PullRequest }
  | { kind: "differs"; comment: CommentRef };

export type LookUpForge = Pick<Forge, "findPullRequest" | "comments" | "currentUser">;

export async function lookUp(forge: LookUpForge, repo: string, body: EffectBody): Promise<Found> {
  switch (body.kind) {
    case "open_pull_request": {
      const pull = await forge.findPullRequest(repo, body.base, body.head);
      if (pull === null) return { kind: "absent" };
      const asWanted = pull.body.includes(body.marker) && refreshed(pull.body, body.body) === plain(pull.body);
      return asWanted ? { kind: "done", result: pullResult(pull) } : { kind: "differs", pull };
    }
    case "upsert_comment": {
      const [me, comments] = await Promise.all([forge.currentUser(), forge.comments(repo, body.number)]);
      // Anybody can write our marker; only what our own user wrote is ours to rewrite.
      const comment = comments.find(({ author, body: text }) => author.id === me.id && text.includes(body.marker));
      if (comment === undefined) return { kind: "absent" };
      const same = plain(comment.body) === plain(withMarker(body));
      return same ? { kind: "done", result: commentResult(comment) } : { kind: "differs", comment };
    }
    case "react":
      // The forge takes the same reaction twice as one.
      return { kind: "absent" };
    default:
      return body satisfies never;
  }
}

/** The text to write: without its marker nobody would find it again. */
export const withMarker = ({ body, marker }: { body: string; marker: string }): string =>
  body.includes(marker) ? body : `${marker}\n\n${body}`;

export const pullResult = ({ number, url }: PullRequest): EffectResult => ({ kind: "pull_request", number, url });
export const commentResult = ({ id, url }: CommentRef): EffectResult => ({ kind: "comment", id, url });

const section = /<!-- claude-hooks:summary -->[\s\S]*?<!-- \/claude-hooks:summary -->/;

/** A pull request's text with the wanted text's summary in the place of its own; what people wrote around it stays, and so does a text whose summary they took out. */
export function refreshed(text: string, wanted: string): string {
  const newer = section.exec(wanted)?.[0];
  return newer === undefined ? plain(text) : plain(text).replace(section, () => newer);
}

/** Forges may store other line ends than those they were sent, and none at the end. */
const plain = (text: string): string => text.replaceAll("\r\n", "\n").trimEnd();
