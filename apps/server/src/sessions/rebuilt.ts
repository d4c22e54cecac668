import type { Remains } from "../domain/rebuild.ts";
import { fence, oneLine } from "./fence.ts";

/** Characters; what is longer is cut, and says so. */
export interface RemainsLimits {
  summary: number;
  comment: number;
  comments: number;
  log: number;
  diff: number;
}

export const remainsLimits: RemainsLimits = {
  summary: 8_000,
  comment: 4_000,
  comments: 40_000,
  log: 8_000,
  diff: 40_000,
};

const opening = `You worked on this before, but your memory of it is lost. What follows is a reconstruction, made from what is left:
your own last summary, the comments, and what your branch adds to its base. It may leave things out. Where it and the
repository disagree, the repository is right.`;

/** Stands below a prompt whose session is lost. Everything in it is fenced as data, and its size is capped. */
export function renderRemains(remains: Remains, limits: RemainsLimits = remainsLimits): string {
  const { summary, log, diff } = remains;
  const parts = [
    "Reconstruction",
    opening,
    ...(summary === null ? [] : [section("Your last summary:", "last summary", summary, limits.summary)]),
    ...commentsOf(remains, limits),
    ...(log === "" ? [] : [section("The commits of your branch, newest first:", "git log", log, limits.log)]),
    ...(diff === "" ? [] : [section("What your branch changes:", "git diff", diff, limits.diff)]),
  ];
  return `${parts.join("\n\n")}\n`;
}

const section = (heading: string, label: string, text: string, longest: number): string =>
  `${heading}\n${fence(label, text, longest).text}`;

/** The newest ones, as far as they fit, oldest first. */
function commentsOf({ comments }: Remains, limits: RemainsLimits): string[] {
  const blocks: string[] = [];
  let length = 0;
  for (const { author, tier, at, body } of comments.toReversed()) {
    const who = tier === "agent" ? `${oneLine(author)} (an agent)` : `${oneLine(author)} (${tier})`;
    const block = `${who}, ${new Date(at).toISOString()}:\n${fence(`comment by ${author}`, body, limits.comment).text}`;
    if (blocks.length > 0 && length + block.length > limits.comments) break;
    blocks.push(block);
    length += block.length;
  }
  if (blocks.length === 0) return [];
  const left = comments.length - blocks.length;
  const more = left === 0 ? "" : ` (${left} earlier ones are left out)`;
  return [`What was said, oldest first${more}:`, ...blocks.toReversed()];
}
