import { expect, test } from "bun:test";
import { type Forge, ForgeError } from "../../domain/forge.ts";

/**
 * What any forge has to bring for the contract: one private repository with a first commit on `main`, and in it an issue
 * that is assigned to `bot`, with a label. The users differ in what they may do; none but `owner` may administer.
 */
export interface ForgeUnderTest extends AsyncDisposable {
  connect(login: "owner" | "bot" | "reader" | "outsider", change?: { token?: string; timeoutMs?: number }): Forge;
  repositoryId: number;
  repository: string;
  issue: { number: number; title: string; label: string };
  /** A commit on this branch, which starts from `main` when it is new, and adds `<branch>.txt`; answers with its id. */
  push(branch: string): Promise<string>;
  /** The first request of this kind is carried out, and its answer lost. */
  loseReply(method: "POST" | "PATCH"): void;
  /** The next request is not carried out, and answered so. */
  answerNext(status: number): void;
  /** `owner` requests changes, with one remark on the first line of this new file of the branch. */
  review(number: number, review: { body: string; path: string; remark: string }): Promise<void>;
  /** No request is answered from now on until it is disposed. */
  hang(): void;
  archive(): void;
}

const failure = async (work: Promise<unknown>): Promise<ForgeError> => {
  const error = await work.then(
    () => new Error("it succeeded"),
    (reason: unknown) => reason,
  );
  if (error instanceof ForgeError) return error;
  throw new Error("expected a ForgeError", { cause: error });
};

type SetUp = () => Promise<ForgeUnderTest>;

/** What the rest of the service relies on, whatever the forge. */
export function forgeContract(setUp: SetUp): void {
  reading(setUp);
  writingPullRequests(setUp);
  reviewing(setUp);
  writingComments(setUp);
  failing(setUp);
  refusing(setUp);
}

function reading(setUp: SetUp): void {
  test("finds the repository by its numeric id, and each user by the token", async () => {
    await using forge = await setUp();
    const owner = forge.connect("owner");
    expect(await owner.repository(forge.repositoryId)).toMatchObject({
      id: forge.repositoryId,
      name: forge.repository,
      defaultBranch: "main",
      archived: false,
    });
    expect(await forge.connect("bot").currentUser()).toMatchObject({ login: "bot" });
  });

  test("says what a user may do, and none for people it does not know", async () => {
    await using forge = await setUp();
    const owner = forge.connect("owner");
    const permissions = ["owner", "bot", "reader", "outsider", "nobody-at-all"].map((login) =>
      owner.permission(forge.repository, login),
    );
    expect(await Promise.all(permissions)).toEqual(["admin", "write", "read", "none", "none"]);
  });

  test("refuses to answer about permissions where the user may not ask", async () => {
    await using forge = await setUp();
    const error = await failure(forge.connect("reader").permission(forge.repository, "bot"));
    expect(error).toMatchObject({ kind: "forbidden", ambiguous: false });
  });

  test("reads an issue with its labels and assignees", async () => {
    await using forge = await setUp();
    expect(await forge.connect("bot").issue(forge.repository, forge.issue.number)).toMatchObject({
      kind: "issue",
      number: forge.issue.number,
      title: forge.issue.title,
      state: "open",
      labels: [forge.issue.label],
      assignees: [{ login: "bot" }],
      pull: null,
    });
  });
}

function writingPullRequests(setUp: SetUp): void {
  test("opens, finds and changes a pull request", async () => {
    await using forge = await setUp();
    const bot = forge.connect("bot");
    const sha = await forge.push("bot/1");
    expect(await bot.findPullRequest(forge.repository, "main", "bot/1")).toBeNull();
    const opened = await bot.createPullRequest(forge.repository, {
      head: "bot/1",
      base: "main",
      title: "One",
      body: "B",
    });
    expect(opened).toMatchObject({ headBranch: "bot/1", headSha: sha, baseBranch: "main", author: { login: "bot" } });
    expect(await bot.findPullRequest(forge.repository, "main", "bot/1")).toMatchObject({ number: opened.number });
    const change = { title: "Two", body: "C" };
    expect(await bot.updatePullRequest(forge.repository, opened.number, change)).toMatchObject(change);
    expect(await bot.pullRequest(forge.repository, opened.number)).toMatchObject(change);
    expect(await bot.issue(forge.repository, opened.number)).toMatchObject({
      kind: "pull_request",
      pull: { headBranch: "bot/1", headSha: sha, baseBranch: "main", merged: false },
    });
  });

  test("calls a second pull request of the same branches a conflict", async () => {
    await using forge = await setUp();
    const bot = forge.connect("bot");
    await forge.push("bot/1");
    const pull = { head: "bot/1", base: "main", title: "One", body: "" };
    await bot.createPullRequest(forge.repository, pull);
    expect(await failure(bot.createPullRequest(forge.repository, pull))).toMatchObject({
      kind: "conflict",
      ambiguous: false,
    });
  });

  test("finds a pull request behind more than a page of others", async () => {
    await using forge = await setUp();
    const bot = forge.connect("bot");
    for (let n = 1; n <= 53; n += 1) {
      await forge.push(`many/${n}`);
      await bot.createPullRequest(forge.repository, { head: `many/${n}`, base: "main", title: `${n}`, body: "" });
    }
    const found = await Promise.all([1, 53].map((n) => bot.findPullRequest(forge.repository, "main", `many/${n}`)));
    expect(found.map((pull) => pull?.title)).toEqual(["1", "53"]);
  });
}

function reviewing(setUp: SetUp): void {
  test("reads the reviews of a pull request in order, with what each says on lines", async () => {
    await using forge = await setUp();
    const bot = forge.connect("bot");
    await forge.push("bot/1");
    const opened = { head: "bot/1", base: "main", title: "One", body: "" };
    const { number } = await bot.createPullRequest(forge.repository, opened);
    expect(await bot.reviews(forge.repository, number)).toEqual([]);
    const path = "bot/1.txt";
    await forge.review(number, { body: "first", path, remark: "why?" });
    await forge.review(number, { body: "second", path, remark: "and here?" });
    const reviews = await bot.reviews(forge.repository, number);
    expect(reviews.map(({ author, verdict, body }) => [author.login, verdict, body])).toEqual([
      ["owner", "changes_requested", "first"],
      ["owner", "changes_requested", "second"],
    ]);
    const [remark, ...others] = await bot.reviewComments(forge.repository, number, reviews[0]?.id ?? 0);
    expect(others).toEqual([]);
    expect(remark).toMatchObject({ path, line: { number: 1, side: "new" }, body: "why?" });
    expect(remark?.hunk).toContain("+bot/1");
    const missing = bot.reviewComments(forge.repository, number, 1_000 + (reviews[1]?.id ?? 0));
    expect((await failure(missing)).kind).toBe("not-found");
  });
}

function writingComments(setUp: SetUp): void {
  test("writes, reads in order and changes comments, also more than a page of them", async () => {
    await using forge = await setUp();
    const bot = forge.connect("bot");
    const bodies = Array.from({ length: 61 }, (_, index) => `number ${index}`);
    for (const body of bodies) await bot.createComment(forge.repository, forge.issue.number, body);
    const comments = await bot.comments(forge.repository, forge.issue.number);
    expect(comments.map(({ body }) => body)).toEqual(bodies);
    const id = comments[0]?.id ?? 0;
    expect(await bot.updateComment(forge.repository, id, "changed")).toMatchObject({ id, body: "changed" });
  });

  test("takes the same reaction to a comment twice as one, and refuses one to a comment that is not there", async () => {
    await using forge = await setUp();
    const bot = forge.connect("bot");
    const { id } = await bot.createComment(forge.repository, forge.issue.number, "look");
    for (const content of ["eyes", "eyes", "+1", "confused"] as const)
      await bot.addReaction(forge.repository, id, content);
    expect((await failure(bot.addReaction(forge.repository, id + 1_000, "eyes"))).kind).toBe("not-found");
  });

  test("knows a branch's head, and that there is no such branch", async () => {
    await using forge = await setUp();
    const bot = forge.connect("bot");
    const sha = await forge.push("deep/er/branch");
    expect(await bot.branchHead(forge.repository, "deep/er/branch")).toBe(sha);
    expect(await bot.branchHead(forge.repository, "deep/er")).toBeNull();
  });
}

function failing(setUp: SetUp): void {
  test("tells what may have been carried out from what was not", async () => {
    await using forge = await setUp();
    const bot = forge.connect("bot");
    const comment = () => bot.createComment(forge.repository, forge.issue.number, "once");
    forge.loseReply("POST");
    expect(await failure(comment())).toMatchObject({ kind: "unavailable", ambiguous: true, status: null });
    expect(await bot.comments(forge.repository, forge.issue.number)).toHaveLength(1);
    forge.answerNext(502);
    expect(await failure(comment())).toMatchObject({ kind: "unavailable", ambiguous: true, status: 502 });
    forge.answerNext(429);
    expect(await failure(comment())).toMatchObject({ kind: "rate-limited", ambiguous: false });
    forge.answerNext(500);
    const read = bot.comments(forge.repository, forge.issue.number);
    expect(await failure(read)).toMatchObject({ kind: "unavailable", ambiguous: false });
  });

  test("names what to do about a wrong token, and never the token", async () => {
    await using forge = await setUp();
    const token = "not-the-right-token-4711";
    const error = await failure(forge.connect("bot", { token }).issue(forge.repository, 1));
    expect(error).toMatchObject({ kind: "unauthorized", status: 401, ambiguous: false });
    expect(error.message).toContain("as bot");
    expect(error.message).toContain("new token");
    expect(Bun.inspect(error)).not.toContain(token);
  });
}

function refusing(setUp: SetUp): void {
  test("does not show a private repository to an outsider", async () => {
    await using forge = await setUp();
    const error = await failure(forge.connect("outsider").issue(forge.repository, forge.issue.number));
    expect(error.kind).toBe("not-found");
  });

  test("says that a repository is archived", async () => {
    await using forge = await setUp();
    forge.archive();
    expect(await forge.connect("owner").repository(forge.repositoryId)).toMatchObject({ archived: true });
    const write = forge.connect("bot").createComment(forge.repository, forge.issue.number, "late");
    expect(await failure(write)).toMatchObject({ kind: "archived", ambiguous: false });
  });

  test("gives up on a forge that does not answer in time", async () => {
    await using forge = await setUp();
    const bot = forge.connect("bot", { timeoutMs: 30 });
    forge.hang();
    const error = await failure(bot.createComment(forge.repository, forge.issue.number, "slow"));
    expect(error).toMatchObject({ kind: "unavailable", ambiguous: true });
    expect(error.message).toContain("30 ms");
  });

  test("refuses a repository name that would reach another route", async () => {
    await using forge = await setUp();
    const owner = forge.connect("owner");
    for (const name of ["../admin", "owner/..", "owner", "a/b/c", "/", "owner/"])
      expect((await failure(owner.issue(name, 1))).kind).toBe("invalid");
  });
}
