import {
  type Handback,
  type ImportReport,
  type SessionDetail,
  type SessionFileContent,
  type SessionList,
  type SessionReset,
  type Takeover,
  TakeoverRequest,
  type TakeoverTerminal,
} from "@claude-hooks/api";
import { Hono } from "hono";

/** A request that cannot be carried out; the message says why, and what to do. */
export class DeskError extends Error {
  override readonly name = "DeskError";
  readonly status: 400 | 404 | 409;

  constructor(status: 400 | 404 | 409, message: string) {
    super(message);
    this.status = status;
  }
}

/** What people do with sessions; lanes are named as people see them. Rejects with a {@link DeskError}. */
export interface SessionDesk {
  list(page: { after: string | null; limit: number }): Promise<SessionList>;
  show(lane: string): Promise<SessionDetail>;
  reset(lane: string): Promise<SessionReset>;
  export(): Promise<SessionFileContent>;
  import(text: string, file: string): Promise<ImportReport>;
}

/** Where a person takes a lane over and gives it back. Rejects with a {@link DeskError}. */
export interface TakeoverDesk {
  hold(request: { thread: string; agent: string | null; stop: boolean }): Promise<Takeover>;
  open(lane: string, terminal: string): Promise<TakeoverTerminal>;
  handback(thread: string, options: { agent: string | null; force: boolean }): Promise<Handback>;
}

const maxFileBytes = 64 * 1024 * 1024;

/** Changes what it is asked to change: it belongs on the unix socket alone. */
export function createSessionsApi(sessions: SessionDesk, takeovers: TakeoverDesk): Hono {
  const app = new Hono();
  app.get("/sessions", async (c) => {
    const limit = Math.min(500, Math.max(1, Number(c.req.query("limit") ?? 100) || 100));
    return c.json(await sessions.list({ after: c.req.query("after") ?? null, limit }));
  });
  app.get("/sessions/:lane", async (c) => c.json(await sessions.show(c.req.param("lane"))));
  app.delete("/sessions/:lane", async (c) => c.json(await sessions.reset(c.req.param("lane"))));
  app.get("/session-file", async (c) => c.json(await sessions.export()));
  app.post("/session-file", async (c) => {
    const text = await c.req.text();
    if (text.length > maxFileBytes) throw new DeskError(400, `the file is larger than ${maxFileBytes} bytes`);
    return c.json(await sessions.import(text, c.req.query("name") ?? "the file"));
  });
  app.post("/takeovers", async (c) => {
    const request = TakeoverRequest.safeParse(await c.req.json().catch(() => null));
    if (!request.success) throw new DeskError(400, "expected {thread, agent, stop}");
    return c.json(await takeovers.hold(request.data));
  });
  app.post("/takeovers/:lane/terminal", async (c) =>
    c.json(await takeovers.open(c.req.param("lane"), c.req.query("term") ?? "xterm-256color")),
  );
  app.delete("/takeovers/:thread", async (c) => {
    const options = { agent: c.req.query("agent") ?? null, force: c.req.query("force") === "1" };
    return c.json(await takeovers.handback(c.req.param("thread"), options));
  });
  return app;
}
