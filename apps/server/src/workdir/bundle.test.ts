import { describe, expect, test } from "bun:test";
import { readBundle } from "./bundle.ts";

const sha = "a".repeat(40);
const ref = "refs/heads/agent/1";
const read = (text: string) => readBundle(new TextEncoder().encode(text), ref);

describe("a bundle", () => {
  test("gives its head, and its pack without the header", () => {
    const found = read(`# v2 git bundle\n-${"b".repeat(40)} base commit\n${sha} ${ref}\n\nPACK\n\nrest`);
    expect(found).toEqual({ kind: "bundle", head: sha, pack: new TextEncoder().encode("PACK\n\nrest") });
  });

  test.each([
    ["that is empty", ""],
    ["of another version", `# v3 git bundle\n@object-format=sha256\n${sha} ${ref}\n\nPACK`],
    ["without an end of its header", `# v2 git bundle\n${sha} ${ref}\n`],
    ["with a header that does not end soon", `# v2 git bundle\n${"-".repeat(70_000)}\n${sha} ${ref}\n\nPACK`],
    ["with another ref", `# v2 git bundle\n${sha} refs/tags/v1\n\nPACK`],
    ["with one ref more", `# v2 git bundle\n${sha} ${ref}\n${sha} refs/heads/main\n\nPACK`],
    ["with no ref", "# v2 git bundle\n\nPACK"],
    ["with a head that is no commit's name", `# v2 git bundle\nHEAD ${ref}\n\nPACK`],
  ])("%s is not read", (_, text) => {
    expect(read(text).kind).toBe("unreadable");
  });
});
