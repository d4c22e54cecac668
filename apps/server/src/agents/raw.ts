const maxRawBytes = 64 * 1024;

/** The message as JSON of at most 64 KB; a longer one keeps its beginning as text, and says how long it was. */
export function boundedJson(message: unknown): string {
  const json = JSON.stringify(message) ?? "null";
  const bytes = Buffer.byteLength(json);
  if (bytes <= maxRawBytes) return json;
  const type = named(message, "type");
  const subtype = named(message, "subtype");
  const cut = { type, subtype, cut: true, note: `cut from ${bytes} bytes to its beginning` };
  // Escaping the beginning once more can double it, and a character can take three bytes.
  for (let length = Math.min(json.length, maxRawBytes - 1_024); ; length = Math.floor(length / 2)) {
    const text = JSON.stringify({ ...cut, beginning: json.slice(0, length).toWellFormed() });
    if (Buffer.byteLength(text) <= maxRawBytes) return text;
  }
}

function named(message: unknown, key: string): string | undefined {
  if (typeof message !== "object" || message === null) return undefined;
  const value = (message as Record<string, unknown>)[key];
  return typeof value === "string" ? value.slice(0, 100) : undefined;
}
