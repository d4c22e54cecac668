import { blocksOf, type CountRequest } from "./wire.ts";

/** One request as the cache sees it: its bytes in the API's order, and where the cache was asked to keep a prefix. */
export interface Prompt {
  bytes: Uint8Array;
  breakpoints: number[];
}

/** `share` is the part of this prompt (0 to 1, in bytes) that is also the beginning of the previous one. */
export interface PrefixUse {
  share: number;
  readTokens: number;
  createdTokens: number;
  freshTokens: number;
}

const BYTES_PER_TOKEN = 4;
const encoder = new TextEncoder();

/**
 * Tools, system, messages: the order of the Messages API. `cache_control` is no content, and a string is the same as
 * one text block, or a prompt that only moved its breakpoint would look changed.
 */
export function asPrompt(request: CountRequest): Prompt {
  const parts: string[] = [];
  const breakpoints: number[] = [];
  let length = 0;
  const add = (item: Record<string, unknown>, head = "") => {
    const { cache_control: kept, ...content } = item;
    const part = `${head}${JSON.stringify(content)}\n`;
    parts.push(part);
    length += Buffer.byteLength(part);
    if (kept) breakpoints.push(length);
  };
  for (const tool of request.tools ?? []) add(tool);
  for (const block of blocksOf(request.system)) add(block);
  for (const { role, content } of request.messages) for (const block of blocksOf(content)) add(block, `${role}:`);
  return { bytes: encoder.encode(parts.join("")), breakpoints };
}

/**
 * What a cache that holds only the previous request of the same conversation would have given. Reads end at a
 * breakpoint of that request, as the API's do; the cache's lifetime is left out.
 */
export function usePrefix(prompt: Prompt, previous: Prompt | undefined): PrefixUse {
  const shared = previous ? sharedLength(prompt.bytes, previous.bytes) : 0;
  const read = previous?.breakpoints.findLast((end) => end <= shared) ?? 0;
  const kept = Math.max(read, prompt.breakpoints.at(-1) ?? 0);
  return {
    share: shared / prompt.bytes.length,
    readTokens: tokens(read),
    createdTokens: tokens(kept) - tokens(read),
    freshTokens: tokens(prompt.bytes.length) - tokens(kept),
  };
}

/** About four bytes to a token; a figure to compare with, not the model's count. */
export function tokens(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}

function sharedLength(one: Uint8Array, other: Uint8Array): number {
  const end = Math.min(one.length, other.length);
  let at = 0;
  while (at < end && one[at] === other[at]) at += 1;
  return at;
}
