import { describe, expect, test } from "bun:test";
import { branchFault } from "./branch.ts";

describe("a branch that agents may push to", () => {
  const request = (name: string) => ({ branch: name, base: { branch: "release" }, defaultBranch: "main" });

  test.each(["agent/1", "claude/issue-430", "a.b/c_d"])("may be %s", (name) => {
    expect(branchFault(request(name))).toBeNull();
  });

  test.each([
    "main",
    "release",
    "HEAD",
    "refs/heads/x",
    "refs/tags/v1",
    "a..b",
    "-f",
    "+x",
    "a:b",
    ":x",
    "a b",
    "a//b",
    "a/",
    "/a",

    "a.lock",
    "a.lock/b",
    "a/.b",
    "a.",
    "a~1",
    "a^",
    "a@{1}",
    "*",
    "",
    "ü",
    "a\nb",
  ])("may not be %j", (name) => {
    expect(branchFault(request(name))).not.toBeNull();
  });
});
