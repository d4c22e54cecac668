import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ForgeId } from "../../domain/ids.ts";
import { forges } from "../registry.ts";

const user = { id: 3, login: "alice" };
const at = "2026-07-01T10:00:00Z";
const begun = "2026-07-01T09:00:00Z";
const reviews = [
  { id: 2, user, state: "REQUEST_CHANGES", body: "Nearly.", submitted_at: begun, updated_at: at, comments_count: 2 },
  { id: 1, user: null, state: "COMMENT", body: "", submitted_at: at },
  { id: 3, user, state: "PENDING", body: "not sent yet", submitted_at: at },
  { id: 4, user, state: "REQUEST_REVIEW", body: "", submitted_at: at },
];
const comment = { user, diff_hunk: "@@ -1 +1 @@", commit_id: "c" };
const comments = [
  { ...comment, id: 9, path: "b.ts", body: "why gone?", position: 0, original_position: 3 },
  { ...comment, id: 8, path: "a.ts", body: "rename", position: 12, original_position: 0 },
  { ...comment, id: 10, path: "c.ts", body: "hm", position: 0, original_position: 0 },
];

/** Answers as Forgejo's API documents it, with what the simulator never has: a ghost, a review that is asked for. */
let server: ReturnType<typeof Bun.serve>;
beforeAll(() => {
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/api/v1/repos/acme/widgets/pulls/8/reviews")
        return Response.json(reviews, { headers: { "X-Total-Count": String(reviews.length) } });
      if (pathname === "/api/v1/repos/acme/widgets/pulls/8/reviews/2/comments") return Response.json(comments);
      return Response.json({ message: "not found" }, { status: 404 });
    },
  });
});
afterAll(() => server.stop(true));

const connect = () =>
  forges.forgejo.connect({ forge: "main" as ForgeId, baseUrl: String(server.url), login: "bot", token: "t" });

test("the reviews of a pull request are those that were submitted, with when they were, oldest first", async () => {
  const submittedAt = Date.parse(at);
  expect(await connect().reviews("acme/widgets", 8)).toEqual([
    { id: 1, author: { id: -1, login: "Ghost" }, verdict: "commented", body: "", submittedAt },
    { id: 2, author: user, verdict: "changes_requested", body: "Nearly.", submittedAt },
  ]);
});

test("a review's remarks stand on lines of the file as it is, or as it was", async () => {
  const hunk = "@@ -1 +1 @@";
  expect(await connect().reviewComments("acme/widgets", 8, 2)).toEqual([
    { path: "a.ts", line: { number: 12, side: "new" }, body: "rename", hunk },
    { path: "b.ts", line: { number: 3, side: "old" }, body: "why gone?", hunk },
    { path: "c.ts", line: null, body: "hm", hunk },
  ]);
});
