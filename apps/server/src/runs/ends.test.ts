import { expect, test } from "bun:test";
import type { ForgeEvent } from "../domain/event.ts";
import { workChange } from "./ends.ts";

const merged = { headBranch: "dev/1", headSha: "a", baseBranch: "main", merged: true, draft: false };
const open = { state: "open" as const, pull: null };
const closed = { state: "closed" as const, pull: null };
const pull = (state: "open" | "closed", isMerged: boolean) => ({ state, pull: { ...merged, merged: isMerged } });

test.each([
  ["issue.closed", "issue", closed, "ends"],
  ["issue.closed", "issue", open, null],
  ["issue.closed", "issue", null, null],
  ["issue.reopened", "issue", open, "goes-on"],
  ["issue.reopened", "issue", closed, null],
  ["issue.labeled", "issue", closed, null],
  ["comment.created", "issue", closed, null],
  ["pull_request.merged", "issue", pull("closed", true), "ends"],
  ["pull_request.merged", "pull_request", pull("closed", true), "ends"],
  ["pull_request.merged", "issue", pull("open", false), null],
  ["pull_request.closed", "issue", pull("closed", false), null],
  ["pull_request.closed", "pull_request", pull("closed", false), "ends"],
  ["pull_request.reopened", "issue", pull("open", false), "goes-on"],
] as const)("%s on the thread of an %s whose newest state is %j: %p", (kind, of, newest, expected) => {
  expect(workChange({ kind } as ForgeEvent, { kind: of }, newest)).toBe(expected);
});
