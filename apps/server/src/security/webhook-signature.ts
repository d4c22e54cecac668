import { createHmac, timingSafeEqual } from "node:crypto";

/** The 32 bytes of an HMAC-SHA256 in hex behind its prefix, or null where it is anything else. */
export function readSignature(header: string, prefix: string): Uint8Array | null {
  const hex = header.startsWith(prefix) ? header.slice(prefix.length) : "";
  return /^[0-9a-f]{64}$/i.test(hex) ? Buffer.from(hex, "hex") : null;
}

/**
 * Whether one of the secrets signed exactly these bytes; several are valid while a secret is being changed. Takes the same time
 * whichever it is, and at which byte others differ. An empty secret signs nothing.
 */
export function isSigned(body: Uint8Array, signature: Uint8Array, secrets: readonly string[]): boolean {
  let signed = false;
  for (const secret of secrets) {
    const expected = createHmac("sha256", secret).update(body).digest();
    const same = expected.byteLength === signature.byteLength && timingSafeEqual(expected, signature);
    if (same && secret !== "") signed = true;
  }
  return signed;
}
