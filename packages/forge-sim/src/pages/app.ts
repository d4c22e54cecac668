import { type Context, Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { html } from "hono/html";
import type { ApiEnv } from "../api/base.ts";
import { resolveCommit } from "../git/commits.ts";
import { diffText, patchText } from "../git/diff.ts";
import type { IssueRecord, RepoRecord, UserRecord } from "../state/records.ts";
import type { World } from "../world.ts";
import { commitPage } from "./commit.ts";
import { homePage, repoPage } from "./home.ts";
import { type Html, issuePath, layout, people, repoPath } from "./layout.ts";
import { styleSheet } from "./style.ts";
import { threadPage } from "./thread.ts";

const csp =
  "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const cookie = "forge_sim_user";

/** The pages to look at, and their buttons, which call the API as the chosen user. Permissions to look are not asked. */
export function pagesApp(world: World, api: Hono<ApiEnv>): Hono {
  const app = new Hono();
  const act = apiCaller(world, api);
  app.use(async (c, next) => {
    if (c.req.method === "POST" && foreign(c)) c.res = c.text("This form was sent from another site.", 403);
    else await next();
    c.header("Content-Security-Policy", csp);
    c.header("X-Content-Type-Options", "nosniff");
    c.header("Referrer-Policy", "same-origin");
  });
  app.get("/-/style.css", (c) => c.body(styleSheet(world), 200, { "Content-Type": "text/css; charset=utf-8" }));
  app.post("/-/act-as", async (c) => {
    const form = await fields(c);
    setCookie(c, cookie, form("login"), { path: "/", httpOnly: true, sameSite: "Strict" });
    const back = form("back");
    return c.redirect(/^\/(?![/\\])/.test(back) ? back : "/", 303);
  });
  app.get("/", (c) => show(world, c, "Repositories", homePage(world)));
  app.get("/:owner/:name", (c) => withRepo(world, c, (repo) => show(world, c, repo.name, repoPage(world, repo))));
  app.get("/:owner/:name/pulls/:file{[0-9]+\\.(diff|patch)}", (c) =>
    withRepo(world, c, (repo) => rawDiff(world, c, repo)),
  );
  app.get("/:owner/:name/:kind{issues|pulls}/:number{[0-9]+}", (c) => showThread(world, c));
  app.get("/:owner/:name/commit/:sha", (c) => withRepo(world, c, (repo) => showCommit(world, c, repo)));
  app.post("/:owner/:name/issues/new", (c) =>
    withRepo(world, c, async (repo) => {
      const form = await fields(c);
      return act(c, repo, "POST", "/issues", { title: form("title"), body: form("body") });
    }),
  );
  app.post("/:owner/:name/:kind{issues|pulls}/:number{[0-9]+}/:what{comment|state|assign|review}", (c) =>
    withIssue(world, c, async (repo, issue) => {
      const call = changeOf(world, issue, c.req.param("what"), await fields(c));
      return act(c, repo, call.method, call.path, call.body, issue);
    }),
  );
  app.notFound((c) => problem(world, c, 404, "There is no such page."));
  app.onError((error, c) => problem(world, c, 500, error.stack ?? error.message));
  return app;
}

/** A browser says where a form was; our own pages only. */
function foreign(c: Context): boolean {
  const origin = c.req.header("origin");
  const site = c.req.header("sec-fetch-site");
  if (origin !== undefined && origin !== "null") return new URL(origin).host !== c.req.header("host");
  return site !== undefined && site !== "same-origin" && site !== "none";
}

type Fields = (name: string) => string;

async function fields(c: Context): Promise<Fields> {
  const form = await c.req.formData();
  return (name) => {
    const value = form.get(name);
    return typeof value === "string" ? value.replaceAll("\r\n", "\n") : "";
  };
}

function actorOf(world: World, c: Context): UserRecord | undefined {
  const chosen = getCookie(c, cookie);
  const all = people(world);
  return all.find((user) => user.login === chosen) ?? all[0];
}

async function show(world: World, c: Context, title: string, body: Html, status: 200 | 400 | 404 | 500 = 200) {
  return c.html(await layout(world, { title, actor: actorOf(world, c), path: c.req.path, body: await body }), status);
}

const problem = (world: World, c: Context, status: 400 | 404 | 500, text: string) =>
  show(world, c, "Problem", html`<h1>That did not work</h1><pre class="card pad problem">${text}</pre>`, status);

async function withRepo(
  world: World,
  c: Context,
  then: (repo: RepoRecord) => Response | Promise<Response>,
): Promise<Response> {
  const repo = world.store.repo(c.req.param("owner") ?? "", c.req.param("name") ?? "");
  return repo ? then(repo) : problem(world, c, 404, "There is no such repository.");
}

function withIssue(
  world: World,
  c: Context,
  then: (repo: RepoRecord, issue: IssueRecord) => Promise<Response>,
): Promise<Response> {
  return withRepo(world, c, (repo) => {
    const issue = repo.issues.get(Number(c.req.param("number")));
    return issue ? then(repo, issue) : problem(world, c, 404, "There is no such issue or pull request.");
  });
}

/** As on Forgejo, either address leads to the page that the number has. */
function showThread(world: World, c: Context): Promise<Response> {
  return withIssue(world, c, async (repo, issue) => {
    const path = issuePath(repo, issue);
    if (c.req.path !== path) return c.redirect(path, 302);
    return show(world, c, `#${issue.number} ${issue.title}`, await threadPage(world, repo, issue));
  });
}

async function showCommit(world: World, c: Context, repo: RepoRecord): Promise<Response> {
  const sha = await resolveCommit(repo.dir, c.req.param("sha") ?? "");
  if (!sha) return problem(world, c, 404, "There is no such commit.");
  return show(world, c, sha.slice(0, 10), await commitPage(world, repo, sha));
}

async function rawDiff(world: World, c: Context, repo: RepoRecord): Promise<Response> {
  const [number, kind] = (c.req.param("file") ?? "").split(".");
  const pull = repo.issues.get(Number(number))?.pull;
  if (!pull) return problem(world, c, 404, "There is no such pull request.");
  return c.text(await (kind === "diff" ? diffText : patchText)(repo.dir, pull.mergeBase, pull.headSha));
}

interface Call {
  method: string;
  path: string;
  body: object;
}

function changeOf(world: World, issue: IssueRecord, what: string, form: Fields): Call {
  const path = `/issues/${issue.number}`;
  if (what === "comment") return { method: "POST", path: `${path}/comments`, body: { body: form("body") } };
  if (what === "state") return { method: "PATCH", path, body: { state: form("state") } };
  if (what === "review") return reviewOf(issue, form);
  const now = issue.assignees.map((id) => world.store.userById(id).login);
  const added = form("add") === "" ? now : [...now, form("add")];
  return { method: "PATCH", path, body: { assignees: added.filter((login) => login !== form("remove")) } };
}

function reviewOf({ number }: IssueRecord, form: Fields): Call {
  const remark = { path: form("path"), body: form("remark"), new_position: Number(form("line")) };
  const comments = remark.body.trim() === "" ? [] : [remark];
  const body = { event: form("event"), body: form("body"), comments };
  return { method: "POST", path: `/pulls/${number}/reviews`, body };
}

type Act = (
  c: Context,
  repo: RepoRecord,
  method: string,
  path: string,
  body: object,
  issue?: IssueRecord,
) => Promise<Response>;

/** Calls the API with the chosen user's own token; what it refuses is shown. */
function apiCaller(world: World, api: Hono<ApiEnv>): Act {
  const tokens = new Map<string, string>();
  return async (c, repo, method, path, body, issue) => {
    const actor = actorOf(world, c);
    if (!actor) return problem(world, c, 400, "There is no user to act as.");
    const token = tokens.get(actor.login) ?? world.store.addToken(actor.login, ["all"], undefined).value;
    tokens.set(actor.login, token);
    const response = await api.request(`/api/v1/repos${repoPath(repo)}${path}`, {
      method,
      headers: { authorization: `token ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) return problem(world, c, 400, `The API answered ${response.status}\n${await response.text()}`);
    return c.redirect(issue ? issuePath(repo, issue) : repoPath(repo), 303);
  };
}
