import { Hono } from "hono";

export interface PublicDeps {
  /** False while the service is stopping: whoever balances load then sends nothing more. */
  healthy(): Promise<{ ok: boolean; detail: Record<string, string> }>;
  webhook(request: Request, forge: string, hookId: string): Promise<Response>;
  /** Null keeps metrics on the unix socket alone. */
  metrics: (() => Promise<{ contentType: string; text: string }>) | null;
}

/** What listens on TCP: health and webhooks, and metrics where the configuration asks for it. Nothing else. */
export function createPublicApp(deps: PublicDeps): Hono {
  const app = new Hono();
  const { metrics } = deps;
  app.get("/health", async (c) => {
    const { ok, detail } = await deps.healthy();
    return c.json({ status: ok ? "ok" : "unavailable", ...detail }, ok ? 200 : 503);
  });
  app.all("/webhooks/:forge/:hook", (c) => deps.webhook(c.req.raw, c.req.param("forge"), c.req.param("hook")));
  if (metrics !== null) {
    app.get("/metrics", async (c) => {
      const { contentType, text } = await metrics();
      return c.body(text, 200, { "content-type": contentType });
    });
  }
  app.notFound((c) =>
    c.json({ error: "not found: this address takes POST /webhooks/<forge>/<hook id> and GET /health" }, 404),
  );
  return app;
}
