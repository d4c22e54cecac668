/**
 * What both databases store alike. PostgreSQL refuses NUL in TEXT and SQLite's functions stop at it, so it is escaped:
 * U+0000 as `U+0001 0`, and U+0001 itself doubled.
 */
const escapeText = (text: string): string =>
  /[\0\u0001]/.test(text)
    ? text.replaceAll(/[\0\u0001]/g, (char) => (char === "\0" ? "\u00010" : "\u0001\u0001"))
    : text;

const unescapeText = (text: string): string =>
  text.includes("\u0001") ? text.replaceAll(/\u0001([0\u0001])/g, (_, char) => (char === "0" ? "\0" : "\u0001")) : text;

/** Refuses what one database takes and the other does not, at the place where it was written. */
export function encodeParameter(value: unknown): unknown {
  if (typeof value === "string") return escapeText(value);
  if (typeof value === "number" && !Number.isSafeInteger(value))
    throw new RangeError(`a column takes whole numbers up to 2^53, not ${value}`);
  if (value === null || typeof value === "number") return value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  throw new TypeError(`a column takes text, whole numbers, bytes or null, not ${typeof value}`);
}

export function decodeRow(row: Record<string, unknown>): Record<string, unknown> {
  for (const name in row) {
    const value = row[name];
    if (typeof value === "string") row[name] = unescapeText(value);
    if (value instanceof Uint8Array) row[name] = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  return row;
}
