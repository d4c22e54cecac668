import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { listenSocket, listenTcp } from "./servers.ts";

const folder = mkdtempSync(join(tmpdir(), "claude-hooks-servers-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const app = new Hono().get("/", (c) => c.text("here"));

test("the socket is its owner's alone, takes the place of a dead one, and goes when it stops", async () => {
  const path = join(folder, "api.sock");
  writeFileSync(path, "left by a service that was killed");
  const server = listenSocket(app, path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await (await fetch("http://x/", { unix: path })).text()).toBe("here");
  await server.stop();
  expect(() => statSync(path)).toThrow("ENOENT");
});

test("a path that is too long for a socket is refused with what to do", () => {
  expect(() => listenSocket(app, join(folder, "x".repeat(120)))).toThrow("choose a shorter state_dir");
});

test("a port that is taken is refused with what to do", async () => {
  const first = listenTcp(app, { host: "127.0.0.1", port: 0 });
  expect(() => listenTcp(app, { host: "127.0.0.1", port: first.port })).toThrow("is the service running already?");
  await first.stop();
});
