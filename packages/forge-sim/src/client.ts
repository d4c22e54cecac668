import type { ApiBranch } from "./api/branches.ts";
import type { ApiHook, ApiStatus } from "./convert/hook.ts";
import type { ApiComment, ApiIssue, ApiLabel, ApiReaction } from "./convert/issue.ts";
import type { ApiPullRequest } from "./convert/pull.ts";
import type { ApiReview } from "./convert/review.ts";
import type { FileContent } from "./options.ts";
import type { ReviewState, StatusState } from "./state/records.ts";

export interface RepoName {
  owner: string;
  repo: string;
}
interface IssueName extends RepoName {
  number: number;
}

/** What a review says on a line. */
export interface ReviewRemark {
  path: string;
  body: string;
  new_position?: number;
  old_position?: number;
}

/** An answer of the simulator that was no success. */
export class ForgeRequestError extends Error {
  readonly status: number;

  constructor(method: string, path: string, status: number, body: string) {
    super(`${method} ${path} answered ${status}: ${body}`);
    this.status = status;
  }
}

export interface CommitRequest extends RepoName {
  branch: string;
  /** What a branch that is not there yet starts from; default the default branch. */
  from?: string;
  message: string;
  /** `null` deletes. */
  files: Record<string, FileContent | null>;
}

interface ActorDeps {
  url: string;
  token: string;
  commit: (request: CommitRequest) => Promise<string>;
}

/** A user who acts through the simulator's own API, so that all follows that follows from it. */
export class Actor {
  /** With every scope. */
  readonly token: string;
  readonly #deps: ActorDeps;

  constructor(deps: ActorDeps) {
    this.#deps = deps;
    this.token = deps.token;
  }

  /** Any call of the API; `path` begins behind `/api/v1`. */
  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.#deps.url}/api/v1${path}`, {
      method,
      headers: { authorization: `token ${this.token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new ForgeRequestError(method, path, response.status, text);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  /** `labels` by name; one that the repository lacks is dropped in silence. */
  async createIssue(
    to: RepoName & { title: string; body?: string; assignees?: string[]; labels?: string[] },
  ): Promise<ApiIssue> {
    const { owner, repo, labels, ...fields } = to;
    const ids = labels ? await this.#labelIds(to, labels) : [];
    return this.request("POST", `${path({ owner, repo })}/issues`, { ...fields, labels: ids });
  }

  editIssue(to: IssueName & { title?: string; body?: string }): Promise<ApiIssue> {
    return this.#patchIssue(to, { title: to.title, body: to.body });
  }

  /** Replaces all assignees; none: `[]`. */
  assign(to: IssueName & { assignees: string[] }): Promise<ApiIssue> {
    return this.#patchIssue(to, { assignees: to.assignees });
  }

  closeIssue(to: IssueName): Promise<ApiIssue> {
    return this.#patchIssue(to, { state: "closed" });
  }

  reopenIssue(to: IssueName): Promise<ApiIssue> {
    return this.#patchIssue(to, { state: "open" });
  }

  /** Replaces all labels, by name. */
  setLabels(to: IssueName & { labels: string[] }): Promise<ApiLabel[]> {
    return this.request("PUT", `${issuePath(to)}/labels`, { labels: to.labels });
  }

  clearLabels(to: IssueName): Promise<void> {
    return this.request("DELETE", `${issuePath(to)}/labels`);
  }

  /** On an issue or a pull request. */
  comment(to: IssueName & { body: string }): Promise<ApiComment> {
    return this.request("POST", `${issuePath(to)}/comments`, { body: to.body });
  }

  editComment(to: RepoName & { id: number; body: string }): Promise<ApiComment> {
    return this.request("PATCH", `${path(to)}/issues/comments/${to.id}`, { body: to.body });
  }

  deleteComment(to: RepoName & { id: number }): Promise<void> {
    return this.request("DELETE", `${path(to)}/issues/comments/${to.id}`);
  }

  react(to: IssueName & { content: string }): Promise<ApiReaction> {
    return this.request("POST", `${issuePath(to)}/reactions`, { content: to.content });
  }

  createBranch(to: RepoName & { name: string; from?: string }): Promise<ApiBranch> {
    return this.request("POST", `${path(to)}/branches`, { new_branch_name: to.name, old_ref_name: to.from });
  }

  deleteBranch(to: RepoName & { name: string }): Promise<void> {
    return this.request("DELETE", `${path(to)}/branches/${to.name}`);
  }

  createPull(
    to: RepoName & { head: string; base: string; title: string; body?: string; assignees?: string[] },
  ): Promise<ApiPullRequest> {
    const { owner, repo, ...fields } = to;
    return this.request("POST", `${path({ owner, repo })}/pulls`, fields);
  }

  /** A comment stands on a line of the file: `new_position` as it is, `old_position` as it was. */
  review(
    to: IssueName & { event: ReviewState; body?: string; commit_id?: string; comments?: ReviewRemark[] },
  ): Promise<ApiReview> {
    const { owner, repo, number, ...fields } = to;
    return this.request("POST", `${path({ owner, repo })}/pulls/${number}/reviews`, fields);
  }

  setStatus(
    to: RepoName & { sha: string; state: StatusState; context?: string; description?: string },
  ): Promise<ApiStatus> {
    const { owner, repo, sha, ...fields } = to;
    return this.request("POST", `${path({ owner, repo })}/statuses/${sha}`, fields);
  }

  /** Active unless told otherwise; `events` as in Forgejo, where `issues` stands for its whole family. */
  createHook(to: RepoName & { url: string; secret?: string; events: string[]; active?: boolean }): Promise<ApiHook> {
    return this.request("POST", `${path(to)}/hooks`, {
      type: "forgejo",
      active: to.active ?? true,
      events: to.events,
      config: { url: to.url, content_type: "json", secret: to.secret ?? "" },
    });
  }

  addCollaborator(to: RepoName & { login: string; permission: "read" | "write" | "admin" }): Promise<void> {
    return this.request("PUT", `${path(to)}/collaborators/${to.login}`, { permission: to.permission });
  }

  removeCollaborator(to: RepoName & { login: string }): Promise<void> {
    return this.request("DELETE", `${path(to)}/collaborators/${to.login}`);
  }

  /** A push of one commit, without a clone; answers with its SHA. */
  push(request: CommitRequest): Promise<string> {
    return this.#deps.commit(request);
  }

  #patchIssue(to: IssueName, fields: object): Promise<ApiIssue> {
    return this.request("PATCH", issuePath(to), fields);
  }

  async #labelIds(to: RepoName, names: readonly string[]): Promise<number[]> {
    const labels = await this.request<ApiLabel[]>("GET", `${path(to)}/labels?limit=50`);
    return labels.filter((label) => names.includes(label.name)).map((label) => label.id);
  }
}

const path = ({ owner, repo }: RepoName): string => `/repos/${owner}/${repo}`;
const issuePath = (to: IssueName): string => `${path(to)}/issues/${to.number}`;
