import type { Hono } from "hono";
import type { ApiEnv } from "./api/base.ts";
import { identify } from "./credentials.ts";
import { parseGitPath, serveGit } from "./git-http.ts";
import type { World } from "./world.ts";

/** One request as it was answered. */
export interface RecordedRequest {
  method: string;
  path: string;
  /** With its `?`; empty without a query. */
  query: string;
  /** The login behind the token; undefined: none, or a bad one. */
  user: string | undefined;
  status: number;
  /** The change was made, and the asker never heard. */
  replyDropped: boolean;
}

/** Answers everything: git, the API, the pages; applies the faults and keeps the record. */
export function handler(
  world: World,
  apps: { api: Hono<ApiEnv>; pages: { fetch: (request: Request) => Response | Promise<Response> } },
  record: RecordedRequest[],
): (request: Request) => Promise<Response> {
  return async (request) => {
    const { pathname, search } = new URL(request.url);
    const identity = identify(world.store, request.headers.get("authorization"));
    const plan = world.faults.plan(request.method, pathname);
    for (const wait of plan.waits) await wait();
    const git = parseGitPath(pathname);
    const answer = (): Response | Promise<Response> => {
      if (plan.refuse) return refusal(plan.refuse.status, plan.refuse.body);
      if (git) return serveGit(world, request, git);
      return pathname.startsWith("/api/") ? apps.api.fetch(request) : apps.pages.fetch(request);
    };
    const response = await answer();
    record.push({
      method: request.method,
      path: pathname,
      query: search,
      user: typeof identity === "string" ? undefined : identity.user.login,
      status: response.status,
      replyDropped: plan.dropReply,
    });
    return plan.dropReply ? cut() : response;
  };
}

function refusal(status: number, body: unknown): Response {
  if (typeof body === "string") return new Response(body, { status });
  return Response.json(body ?? { message: `fault asked for by the test: ${status}`, url: "" }, { status });
}

/** A body that fails before its first byte makes Bun close the connection without sending anything. */
const cut = (): Response => new Response(new ReadableStream({ pull: (controller) => controller.error() }));
