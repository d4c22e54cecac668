import { type Spoken, spokenText } from "./spoken.ts";

/** The logins of {@link mentions}. */
export const mentionedLogins = (markdown: string): string[] => mentions(markdown).logins;

export interface Mentions extends Pick<Spoken, "incomplete"> {
  /** In lower case, as forges compare logins; each once, in order. */
  logins: string[];
}

/**
 * Which users a comment speaks to: `@login` in text, and not in quotes, code, HTML comments, attributes or addresses.
 * What cannot be looked at counts as no mention.
 */
export function mentions(markdown: string): Mentions {
  if (!markdown.includes("@")) return { logins: [], incomplete: null };
  const { stretches, incomplete } = spokenText(markdown);
  return { logins: [...new Set(stretches.flatMap(({ text, before }) => [...loginsIn(text, before)]))], incomplete };
}

const address = /\b(?:https?:\/\/|ftp:\/\/|mailto:|www\.)\S+/gi;
const mention = /@([A-Za-z0-9][A-Za-z0-9._-]*)/g;
/** What a mention cannot follow: it would be part of an e-mail address, a path, an escaped `\@`. */
const joined = /[\p{L}\p{N}.+/@\\=%#$&-]/u;
const continued = /[\p{L}\p{N}/@\\]/u;

function* loginsIn(raw: string, before: string): Generator<string> {
  const text = raw.replaceAll(address, (found) => " ".repeat(found.length));
  for (const { 1: name = "", index } of text.matchAll(mention)) {
    const login = name.replace(/[._-]+$/, "");
    const next = text[index + 1 + name.length] ?? "";
    const previous = lastBeyondEmphasis(text, index) ?? before;
    if (!joined.test(previous) && !continued.test(next)) yield login.toLowerCase();
  }
}

/** The character before, looking through `**`, `_` and `~~`; undefined at the start. */
function lastBeyondEmphasis(text: string, index: number): string | undefined {
  let at = index - 1;
  while (at >= 0 && /[*_~]/.test(text.charAt(at)) && index - at < 8) at -= 1;
  return at < 0 ? undefined : text.charAt(at);
}
