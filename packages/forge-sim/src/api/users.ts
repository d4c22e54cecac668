import { Hono } from "hono";
import { toRepo } from "../convert/repo.ts";
import { toUser } from "../convert/user.ts";
import { accessWith } from "../state/access.ts";
import { type ApiEnv, checkScope, idParam, notFound, signedIn } from "./base.ts";

/** `/version`, `/user`, `/users/{u}`, `/repositories/{id}`. */
export const userRoutes = new Hono<ApiEnv>()
  .get("/version", (c) => c.json({ version: "15.0.3+gitea-1.22.0" }))
  .get("/user", (c) => {
    checkScope(c, "user");
    const doer = signedIn(c);
    return c.json(toUser(c.var.world, doer, doer));
  })
  .get("/users/:login", (c) => {
    checkScope(c, "user");
    const user = c.var.world.store.user(c.req.param("login"));
    if (!user) throw notFound(`user does not exist [uid: 0, name: ${c.req.param("login")}]`);
    return c.json(toUser(c.var.world, user, c.var.doer));
  })
  .get("/repositories/:id", (c) => {
    signedIn(c);
    checkScope(c, "repository");
    const repo = c.var.world.store.repos.get(idParam(c, "id"));
    if (!repo) throw notFound();
    const mode = accessWith(c.var.token, c.var.doer, repo);
    if (mode === "none") throw notFound();
    return c.json(toRepo(c.var.world, repo, mode));
  });
