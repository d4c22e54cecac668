import { z } from "zod";
import type { Actor, CommentRef, Snapshot } from "../../domain/event.ts";
import {
  type Forge,
  ForgeError,
  type NewPullRequest,
  type Permission,
  type PullRequest,
  type Reaction,
  type RepositoryInfo,
} from "../../domain/forge.ts";
import type { InlineComment, Review } from "../../domain/review.ts";
import type { ConnectOptions } from "../factory.ts";
import { Rest, type RestRequest } from "../rest.ts";
import { commentRef, inlineComment, issueSnapshot, pullRequest, pullSnapshot, review } from "./convert.ts";
import {
  ForgejoBranch,
  ForgejoComment,
  ForgejoIssue,
  ForgejoPermission,
  ForgejoPull,
  ForgejoRepository,
  ForgejoReview,
  ForgejoReviewComment,
  ForgejoUser,
} from "./schemas.ts";

/** Forgejo's largest page, unless its administrator set a smaller one. */
const pageSize = 50;
const maxPages = 100;
/** A page of 50 comments of Forgejo's usual largest size is well below this. */
const maxBodyBytes = 32 * 1024 * 1024;

export function connectForgejo(options: ConnectOptions): Forge {
  return new ForgejoClient(options);
}

class ForgejoClient implements Forge {
  readonly webUrl: string;
  readonly #rest: Rest;
  readonly #token: string;

  constructor({ forge, baseUrl, login, token, timeoutMs = 20_000 }: ConnectOptions) {
    this.webUrl = baseUrl.replace(/\/+$/, "");
    this.#token = token;
    this.#rest = new Rest({
      forgeName: `forge "${forge}" (${this.webUrl})`,
      login,
      apiUrl: `${this.webUrl}/api/v1`,
      authorization: `token ${token}`,
      token,
      timeoutMs,
      maxBodyBytes,
    });
  }

  async currentUser(): Promise<Actor> {
    return this.#rest.read(ForgejoUser, { path: "/user" });
  }

  async repository(id: number): Promise<RepositoryInfo> {
    const repository = await this.#rest.read(ForgejoRepository, { path: `/repositories/${id}` });
    return {
      id: repository.id,
      name: repository.full_name,
      defaultBranch: repository.default_branch,
      cloneUrl: repository.clone_url,
      webUrl: repository.html_url,
      archived: repository.archived,
    };
  }

  async permission(repo: string, login: string): Promise<Permission> {
    const path = `${inRepository(repo)}/collaborators/${encodeURIComponent(login)}/permission`;
    const answer = await orNull(this.#rest.read(ForgejoPermission, { path }));
    if (answer === null) return "none";
    return answer.permission === "owner" ? "admin" : answer.permission;
  }

  async issue(repo: string, number: number): Promise<Snapshot> {
    const issue = await this.#rest.read(ForgejoIssue, { path: `${inRepository(repo)}/issues/${number}` });
    if (issue.pull_request == null) return issueSnapshot(issue);
    return pullSnapshot(await this.#pull(repo, number));
  }

  async pullRequest(repo: string, number: number): Promise<PullRequest> {
    return pullRequest(await this.#pull(repo, number));
  }

  async findPullRequest(repo: string, base: string, head: string): Promise<PullRequest | null> {
    const request = { path: `${inRepository(repo)}/pulls`, query: { state: "open" } };
    for await (const pull of this.#list(ForgejoPull, request)) {
      const found = pullRequest(pull);
      if (found.state === "open" && found.baseBranch === base && found.headBranch === head) return found;
    }
    return null;
  }

  async createPullRequest(repo: string, { head, base, title, body }: NewPullRequest): Promise<PullRequest> {
    const path = `${inRepository(repo)}/pulls`;
    const json = { head, base, title, body };
    return pullRequest(await this.#rest.read(ForgejoPull, { method: "POST", path, json }));
  }

  async updatePullRequest(
    repo: string,
    number: number,
    change: { title?: string; body?: string },
  ): Promise<PullRequest> {
    const path = `${inRepository(repo)}/pulls/${number}`;
    return pullRequest(await this.#rest.read(ForgejoPull, { method: "PATCH", path, json: change }));
  }

  async comments(repo: string, number: number): Promise<CommentRef[]> {
    const found: CommentRef[] = [];
    const path = `${inRepository(repo)}/issues/${number}/comments`;
    for await (const comment of this.#list(ForgejoComment, { path })) found.push(commentRef(comment));
    return found.toSorted((a, b) => a.id - b.id);
  }

  async createComment(repo: string, number: number, body: string): Promise<CommentRef> {
    const path = `${inRepository(repo)}/issues/${number}/comments`;
    return commentRef(await this.#rest.read(ForgejoComment, { method: "POST", path, json: { body } }));
  }

  async updateComment(repo: string, commentId: number, body: string): Promise<CommentRef> {
    const path = `${inRepository(repo)}/issues/comments/${commentId}`;
    return commentRef(await this.#rest.read(ForgejoComment, { method: "PATCH", path, json: { body } }));
  }

  async reviews(repo: string, number: number): Promise<Review[]> {
    const found: Review[] = [];
    const path = `${inRepository(repo)}/pulls/${number}/reviews`;
    for await (const listed of this.#list(ForgejoReview, { path })) {
      const submitted = review(listed);
      if (submitted !== null) found.push(submitted);
    }
    return found.toSorted((a, b) => a.id - b.id);
  }

  async reviewComments(repo: string, number: number, id: number): Promise<InlineComment[]> {
    const path = `${inRepository(repo)}/pulls/${number}/reviews/${id}/comments`;
    const comments = await this.#rest.read(z.array(ForgejoReviewComment), { path });
    return comments.toSorted((a, b) => a.id - b.id).map(inlineComment);
  }

  async addReaction(repo: string, commentId: number, content: Reaction): Promise<void> {
    const path = `${inRepository(repo)}/issues/comments/${commentId}/reactions`;
    await this.#rest.send({ method: "POST", path, json: { content } });
  }

  async branchHead(repo: string, branch: string): Promise<string | null> {
    const path = `${inRepository(repo)}/branches/${branch.split("/").map(encodeURIComponent).join("/")}`;
    const found = await orNull(this.#rest.read(ForgejoBranch, { path }));
    return found?.commit.id ?? null;
  }

  gitAuthorization(): string {
    // Any user name does; Forgejo looks at the token in the password's place.
    return `Basic ${Buffer.from(`claude-hooks:${this.#token}`).toString("base64")}`;
  }

  async #pull(repo: string, number: number): Promise<ForgejoPull> {
    return this.#rest.read(ForgejoPull, { path: `${inRepository(repo)}/pulls/${number}` });
  }

  /**
   * Every item of every page, once. Some routes (an issue's comments) know no pages and answer everything to each request,
   * and an administrator may have made pages smaller: so a page that brings nothing new is the end.
   */
  async *#list<T extends { id: number }>(schema: z.ZodType<T>, request: RestRequest): AsyncGenerator<T> {
    const seen = new Set<number>();
    for (let page = 1; page <= maxPages; page += 1) {
      const paged = { ...request, query: { ...request.query, page, limit: pageSize } };
      const answer = await this.#rest.send(paged);
      const fresh = this.#rest.parse(z.array(schema), paged, answer).filter(({ id }) => !seen.has(id));
      for (const item of fresh) {
        seen.add(item.id);
        yield item;
      }
      const total = answer.headers.get("X-Total-Count");
      if (fresh.length === 0 || (total !== null && seen.size >= Number(total))) return;
    }
    throw new ForgeError(
      `${this.webUrl}: GET ${request.path} has more than ${maxPages * pageSize} items, and only so many are read. Close or archive some of them.`,
      { kind: "unexpected-answer", status: null, ambiguous: false },
    );
  }
}

function inRepository(repo: string): string {
  const [owner = "", name = "", ...more] = repo.split("/");
  const usable = (part: string) => part !== "" && part !== "." && part !== "..";
  if (usable(owner) && usable(name) && more.length === 0)
    return `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}`;
  throw new ForgeError(`"${repo}" is no repository: expected owner/name`, {
    kind: "invalid",
    status: null,
    ambiguous: false,
  });
}

async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ForgeError && error.kind === "not-found") return null;
    throw error;
  }
}
