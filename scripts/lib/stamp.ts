/** The mark that a finished install leaves: the same lock on the same kind of machine needs no second one. */
export function stampOf(lock: Uint8Array, machine: string): string {
  return `${new Bun.CryptoHasher("sha256").update(lock).digest("hex")} ${machine}\n`;
}
