export type Redact = (text: string) => string;

const mask = "[redacted]";

/**
 * Replaces every known secret, also in its base64 and URL forms, before a text leaves for a log, a page or the forge.
 * Values shorter than 6 characters are left alone: they would mask ordinary words.
 */
export function createRedactor(secrets: readonly string[]): Redact {
  const forms = [...new Set(secrets.filter((secret) => secret.length >= 6).flatMap(formsOf))]
    .filter((form) => form.length >= 6)
    .toSorted((a, b) => b.length - a.length);
  if (forms.length === 0) return (text) => text;
  const pattern = new RegExp(forms.map(escapePattern).join("|"), "g");
  return (text) => text.replace(pattern, mask);
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, "utf8");
  return [
    secret,
    encodeURIComponent(secret),
    bytes.toString("hex"),
    ...base64Cores(bytes),
    JSON.stringify(secret).slice(1, -1),
  ];
}

/** The part of a secret's base64 form that is the same whatever stands around it, for each of its three alignments. */
function base64Cores(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    const start = shift === 0 ? 0 : shift + 1;
    const core = text.slice(start, Math.floor(((shift + bytes.length) * 8) / 6));
    return [core, core.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

const escapePattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
