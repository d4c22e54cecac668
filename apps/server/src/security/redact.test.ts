import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createRedactor } from "./redact.ts";

describe("the redactor", () => {
  const redact = createRedactor(["s3cret/+value=", "another-one", "tiny"]);

  test.each([
    ["exact", "x s3cret/+value= y"],
    ["URL", `x ${encodeURIComponent("s3cret/+value=")} y`],
    ["hex", `x ${Buffer.from("s3cret/+value=").toString("hex")} y`],
    ["base64", `x ${Buffer.from("s3cret/+value=").toString("base64")} y`],
    ["base64 in the middle of other text", Buffer.from("user:s3cret/+value=:rest").toString("base64")],
  ])("masks a secret in its %s form", (_form, text) => {
    expect(redact(text)).toContain("[redacted]");
  });

  test("leaves other text and very short secrets alone", () => {
    expect(redact("a tiny text")).toBe("a tiny text");
  });

  test("changes nothing where no secret is known", () => {
    expect(createRedactor([""])("anything")).toBe("anything");
  });

  test("lets no base64 form through, whatever stands before and after", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 9 }), fc.uint8Array({ maxLength: 9 }), (before, after) => {
        const text = Buffer.concat([before, Buffer.from("another-one"), after]).toString("base64");
        expect(redact(text)).toContain("[redacted]");
      }),
    );
  });
});
