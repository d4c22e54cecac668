import { expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { devScript, onePiece } from "../e2e/play.ts";
import { openWorld } from "../e2e/world.ts";

const script = devScript(onePiece("nothing"));
const apiPaths = [
  "/api/v1/status",
  "/api/v1/runs",
  "/api/v1/runs/x",
  "/api/v1/runs/x/stream",
  "/api/v1/explain?subject=x",
];

test("the API is on a socket for the service's own user alone, and nowhere on TCP", async () => {
  await using world = await openWorld({ script });
  const service = await world.start();
  const socket = join(world.stateDir, "api.sock");
  const { mode, uid } = statSync(socket);
  expect({ mode: mode & 0o777, uid, isSocket: statSync(socket).isSocket() }).toEqual({
    mode: 0o600,
    uid: process.getuid?.() ?? 0,
    isSocket: true,
  });
  expect((await service.status()).running).toBe(0);
  for (const path of [...apiPaths, "/metrics", "/", "/webhooks", "/../api/v1/status", "//api/v1/status"]) {
    const response = await fetch(`${world.url}${path}`);
    expect([path, response.status]).toEqual([path, 404]);
    expect(await response.text()).toContain("this address takes POST /webhooks/<forge>/<hook id> and GET /health");
  }
  const header = { Host: "claude-hooks", "X-Forwarded-Host": "claude-hooks" };
  expect((await fetch(`${world.url}/api/v1/status`, { headers: header })).status).toBe(404);
  expect((await fetch(`${world.url}/health`)).status).toBe(200);
  await service.stop();
  expect(() => statSync(socket)).toThrow("ENOENT");
});

test("metrics are on TCP where the configuration says so, and the API is not even then", async () => {
  await using world = await openWorld({ script });
  const file = join(world.folder, "agents.json");
  const config = JSON.parse(readFileSync(file, "utf8")) as { listen: object };
  writeFileSync(file, JSON.stringify({ ...config, listen: { ...config.listen, metrics: true } }));
  const service = await world.start();
  const response = await fetch(`${world.url}/metrics`);
  expect([response.status, await response.text()]).toEqual([200, expect.stringContaining("claude_runs_total")]);
  expect((await fetch(`${world.url}/api/v1/status`)).status).toBe(404);
  expect(await service.metrics()).toContain("claude_runs_total");
});
