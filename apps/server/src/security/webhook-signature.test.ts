import { describe, expect, test } from "bun:test";
import { isSigned, readSignature } from "./webhook-signature.ts";

const body = new TextEncoder().encode("hello");
const secret = "It is secret";
const hex = new Bun.CryptoHasher("sha256", secret).update(body).digest("hex");
const bytes = Buffer.from(hex, "hex");

describe("a signature", () => {
  test.each<[string, string, boolean]>([
    [hex, "", true],
    [hex.toUpperCase(), "", true],
    [`sha256=${hex}`, "sha256=", true],
    ["", "", false],
    ["sha256=", "sha256=", false],
    [hex, "sha256=", false],
    [`sha256=${hex}`, "", false],
    [hex.slice(1), "", false],
    [`${hex}0`, "", false],
    [`${hex}\n`, "", false],
    [` ${hex}`, "", false],
    [`g${hex.slice(1)}`, "", false],
    [`0x${hex.slice(2)}`, "", false],
    [`sha1=${hex}`, "sha256=", false],
  ])("%j behind %j is readable: %p", (header, prefix, readable) => {
    expect(readSignature(header, prefix) !== null).toBe(readable);
  });

  test("is that of exactly these bytes under one of the secrets", () => {
    expect(isSigned(body, bytes, [secret])).toBe(true);
    expect(isSigned(body, bytes, ["old one", secret, "older"])).toBe(true);
    expect(isSigned(body, bytes, ["another"])).toBe(false);
    expect(isSigned(new TextEncoder().encode("hello "), bytes, [secret])).toBe(false);
    expect(isSigned(body, bytes.subarray(1), [secret])).toBe(false);
    expect(isSigned(body, bytes, [])).toBe(false);
  });

  test("differs in its first as in its last byte", () => {
    for (const at of [0, 15, 31]) {
      const other = Buffer.from(bytes);
      other[at] = (other[at] ?? 0) ^ 1;
      expect(isSigned(body, other, [secret])).toBe(false);
    }
  });

  test("under an empty secret is none, though it can be computed", () => {
    const forged = new Bun.CryptoHasher("sha256", "").update(body).digest();
    expect(isSigned(body, forged, [""])).toBe(false);
    expect(isSigned(body, forged, ["", secret])).toBe(false);
  });
});
