import { dirname } from "node:path";
import { type Credentials, identify } from "./credentials.ts";
import { gitEnvironment } from "./git/run.ts";
import { noticeRefs } from "./pushes.ts";
import { accessWith, atLeast } from "./state/access.ts";
import type { RepoRecord } from "./state/records.ts";
import { hasScope } from "./state/scopes.ts";
import type { World } from "./world.ts";

type Service = "git-upload-pack" | "git-receive-pack";

export interface GitRequest {
  owner: string;
  name: string;
  path: "info/refs" | Service;
}

const pattern = /^\/([^/]+)\/([^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/;

/** The parts of a git-over-HTTP path; undefined for any other path. */
export function parseGitPath(pathname: string): GitRequest | undefined {
  const [, owner, name, path] = pattern.exec(pathname) ?? [];
  if (owner === undefined || name === undefined || path === undefined) return undefined;
  return { owner, name, path: path as GitRequest["path"] };
}

/** Answers as Forgejo's `serviceRPC`: permission first, then `git http-backend` on the bare repository. */
export async function serveGit(world: World, request: Request, parts: GitRequest): Promise<Response> {
  const service = parts.path === "info/refs" ? new URL(request.url).searchParams.get("service") : parts.path;
  if (service !== "git-upload-pack" && service !== "git-receive-pack") return plain(403, "Smart HTTP only");
  const identity = identify(world.store, request.headers.get("authorization"));
  if (identity === "bad") return unauthorized();
  const found = world.store.repo(parts.owner, parts.name);
  const access = judge(found, identity === "none" ? undefined : identity, service);
  if (access.refusal) return access.refusal;
  const run = () => backend(access.repo, request, service, parts, identity === "none" ? "" : identity.user.login);
  if (parts.path !== "git-receive-pack" || identity === "none") return run();
  return world.locked(access.repo.id, async () => {
    const response = await run();
    const body = await response.arrayBuffer();
    await noticeRefs(world, access.repo, identity.user);
    return new Response(body, { status: response.status, headers: response.headers });
  });
}

type Judgement = { refusal: Response } | { refusal: undefined; repo: RepoRecord };

function judge(repo: RepoRecord | undefined, who: Credentials | undefined, service: Service): Judgement {
  const writes = service === "git-receive-pack";
  if (!who && (!repo || repo.private || writes)) return { refusal: unauthorized() };
  const mode = repo ? accessWith(who?.token, who?.user, repo) : "none";
  if (!repo || mode === "none") return { refusal: plain(404, "Repository not found") };
  if (who && !hasScope(who.token.scopes, writes ? "write" : "read", "repository")) {
    return { refusal: plain(403, `token lacks the scope ${writes ? "write" : "read"}:repository`) };
  }
  if (!writes) return { refusal: undefined, repo };
  if (!atLeast(mode, "write")) return { refusal: plain(403, "User permission denied for writing.") };
  if (repo.archived) return { refusal: plain(403, "This repo is archived. You can view files and clone it.") };
  return { refusal: undefined, repo };
}

const plain = (status: number, text: string): Response => new Response(`${text}\n`, { status });

const unauthorized = (): Response =>
  new Response("Unauthorized\n", { status: 401, headers: { "WWW-Authenticate": 'Basic realm="Gitea"' } });

async function backend(
  repo: RepoRecord,
  request: Request,
  service: Service,
  parts: GitRequest,
  login: string,
): Promise<Response> {
  const child = Bun.spawn(["git", "http-backend"], {
    cwd: repo.dir,
    env: {
      ...gitEnvironment,
      GIT_PROJECT_ROOT: dirname(repo.dir),
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: `/${repo.dir.slice(dirname(repo.dir).length + 1)}/${parts.path}`,
      QUERY_STRING: parts.path === "info/refs" ? `service=${service}` : "",
      REQUEST_METHOD: request.method,
      REMOTE_USER: login,
      REMOTE_ADDR: "127.0.0.1",
      CONTENT_TYPE: request.headers.get("content-type") ?? "",
      HTTP_CONTENT_ENCODING: request.headers.get("content-encoding") ?? "",
      GIT_PROTOCOL: request.headers.get("git-protocol") ?? "",
    },
    stdin: request.body ?? "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  request.signal.addEventListener("abort", () => child.kill());
  return readCgi(child.stdout);
}

/** Splits off the CGI headers; the rest goes on as it comes. */
async function readCgi(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Response> {
  const reader = stream.getReader();
  let seen: Buffer = Buffer.alloc(0);
  let end = -1;
  while (end < 0) {
    const { done, value } = await reader.read();
    if (done) return plain(500, "git http-backend gave no answer");
    seen = Buffer.concat([seen, value]);
    end = seen.indexOf("\r\n\r\n");
  }
  const headers = new Headers();
  for (const line of seen.subarray(0, end).toString("latin1").split("\r\n")) {
    const colon = line.indexOf(":");
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const status = Number.parseInt(headers.get("status") ?? "200", 10);
  headers.delete("status");
  const rest = seen.subarray(end + 4);
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      if (rest.length > 0) controller.enqueue(rest);
    },
    pull: async (controller) => {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(body, { status, headers });
}
