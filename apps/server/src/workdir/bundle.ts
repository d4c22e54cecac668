/** The largest part of a bundle that is read as its header. */
const maxHeaderBytes = 65_536;

export type BundleHeader = { kind: "bundle"; head: string; pack: Uint8Array } | { kind: "unreadable"; reason: string };

/** Splits a version 2 bundle (gitformat-bundle(5)) that must carry `ref` and nothing else; the bytes are untrusted. */
export function readBundle(bytes: Uint8Array, ref: string): BundleHeader {
  const limit = Math.min(bytes.length, maxHeaderBytes);
  const end = Buffer.from(bytes.buffer, bytes.byteOffset, limit).indexOf("\n\n");
  if (end === -1) return { kind: "unreadable", reason: "the bundle's header has no end" };
  const [signature, ...lines] = new TextDecoder().decode(bytes.subarray(0, end)).split("\n");
  if (signature !== "# v2 git bundle") return { kind: "unreadable", reason: "it is no version 2 bundle" };
  const refs = lines.filter((line) => !line.startsWith("-"));
  const [only] = refs;
  const match = only === undefined || refs.length > 1 ? null : /^([0-9a-f]{40}) (\S+)$/.exec(only);
  const [, head, name] = match ?? [];
  if (head === undefined || name !== ref)
    return { kind: "unreadable", reason: `the bundle must carry ${ref} and no other ref` };
  return { kind: "bundle", head, pack: bytes.subarray(end + 2) };
}
