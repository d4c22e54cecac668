export type Parsed = { ok: true; value: Readonly<Record<string, unknown>> } | { ok: false; fault: string };

/** Deeper JSON parses well, but overflows the stack of whatever walks over it. */
const maxDepth = 64;

/** A JSON object in strict UTF-8, nested no deeper than 64: that is found by one scan of the bytes, before anything is parsed. */
export function parsePayload(bytes: Uint8Array): Parsed {
  if (nestsDeeperThan(bytes, maxDepth))
    return { ok: false, fault: `the body is nested deeper than ${maxDepth} levels` };
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return { ok: false, fault: "the body is not UTF-8" };
  }
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? { ok: true, value } : { ok: false, fault: "the body is JSON, but no object" };
  } catch {
    return { ok: false, fault: "the body is not JSON" };
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const quote = 0x22;
const backslash = 0x5c;

function nestsDeeperThan(bytes: Uint8Array, limit: number): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (inText && byte === backslash) at += 1;
    if (byte === quote) inText = !inText;
    if (inText) continue;
    // [ and {, ] and }: they differ in one bit.
    const bracket = (byte ?? 0) & ~0x20;
    if (bracket === 0x5b) depth += 1;
    if (bracket === 0x5d) depth -= 1;
    if (depth > limit) return true;
  }
  return false;
}
