import { createHash } from "node:crypto";

export interface Fenced {
  text: string;
  /** How many characters of what was given are not in it. */
  cut: number;
}

/**
 * Puts text that we did not write between two lines of ours. The lines carry an id made from the text, which is not in
 * the text: nothing inside can look like the end. The same text gives the same bytes.
 */
export function fence(label: string, untrusted: string, longest: number): Fenced {
  const kept = keepStart(untrusted, longest);
  const id = fenceId(kept);
  const name = oneLine(label);
  const lines = [`<<< untrusted text ${id}: ${name}`, kept, `>>> end of untrusted text ${id}`];
  const cut = untrusted.length - kept.length;
  if (cut > 0)
    lines.push(`[The text was too long: ${cut} of its ${untrusted.length} characters were cut off its end.]`);
  return { text: lines.join("\n"), cut };
}

function fenceId(text: string): string {
  for (let round = 0; ; round++) {
    const id = createHash("sha256").update(`${round}\n${text}`).digest("hex").slice(0, 12);
    if (!text.includes(id)) return id;
  }
}

function keepStart(text: string, longest: number): string {
  if (text.length <= longest) return text;
  // Half of a character outside the basic plane is not a character.
  const end = isHighSurrogate(text.charCodeAt(longest - 1)) ? longest - 1 : longest;
  return text.slice(0, end);
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

const longestName = 200;

/** A login, label or branch inside one of our own lines: no line break, no control character, of bounded length. */
export function oneLine(text: string): string {
  const flat = text.replaceAll(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  return flat.length <= longestName ? flat : `${keepStart(flat, longestName)}…`;
}
