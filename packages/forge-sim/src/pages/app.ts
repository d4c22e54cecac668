import { Hono } from "hono";
import type { ApiEnv } from "../api/base.ts";
import type { World } from "../world.ts";

/** The pages to look at. */
export function pagesApp(_world: World, _api: Hono<ApiEnv>): Hono {
  return new Hono();
}
