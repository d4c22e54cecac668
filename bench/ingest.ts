import { createHmac, randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { medians, table } from "./tables.ts";

/**
 * Deliveries a second that are on disk before their 202, 64 connections, one server process: through the webhook handler with
 * group commit, against a commit for each request, and against a server that only reads the body.
 * `bun bench/ingest.ts [seconds of each run] [rounds]`
 */
const seconds = Number(process.argv[2] ?? 3);
const rounds = Number(process.argv[3] ?? 5);
const connections = 64;
const secret = "bench";
const sample = resolve(
  import.meta.dirname,
  "../packages/forge-sim/fixtures/payloads/forgejo.issue_comment.created.json",
);
const body = readFileSync(sample);
const signature = createHmac("sha256", secret).update(body).digest("hex");

const variants = ["bare", "commit-per-request", "group-commit"] as const;
type Variant = (typeof variants)[number];

interface Measured {
  rate: number;
  p50: number;
  p99: number;
  rssMb: number;
}

async function measure(variant: Variant): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "claude-hooks-bench-"));
  const server = Bun.spawn([process.execPath, join(import.meta.dirname, "ingest-server.ts"), variant, folder, secret], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines = server.stdout.getReader();
  const url = new TextDecoder().decode((await lines.read()).value).trim();
  await load(url, 0.5);
  const latencies = await load(url, seconds);
  const rssMb = rssOf(server.pid);
  server.kill();
  await server.exited;
  rmSync(folder, { recursive: true, force: true });
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { rate: latencies.length / seconds, p50: at(0.5), p99: at(0.99), rssMb };
}

async function load(url: string, forSeconds: number): Promise<number[]> {
  const end = performance.now() + forSeconds * 1_000;
  const latencies: number[] = [];
  const connection = async (): Promise<void> => {
    while (performance.now() < end) {
      const start = performance.now();
      const response = await fetch(url, { method: "POST", body, headers: headers() });
      if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`);
      await response.arrayBuffer();
      latencies.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: connections }, connection));
  return latencies;
}

const headers = (): Record<string, string> => ({
  "content-type": "application/json",
  "x-forgejo-delivery": randomUUID(),
  "x-forgejo-event": "issue_comment",
  "x-forgejo-event-type": "issue_comment",
  "x-hub-signature-256": `sha256=${signature}`,
});

const rssOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1_024;

const results = new Map<Variant, Measured[]>(variants.map((variant) => [variant, []]));
for (let round = 0; round < rounds; round++) {
  for (const variant of variants) results.get(variant)?.push(await measure(variant));
}
const rows = variants.map((variant) => {
  const all = results.get(variant) ?? [];
  const median = (pick: (measured: Measured) => number) => medians(all.map(pick));
  return {
    variant,
    rate: median((m) => m.rate),
    p50: median((m) => m.p50),
    p99: median((m) => m.p99),
    rss: median((m) => m.rssMb),
  };
});
const base = rows.find(({ variant }) => variant === "commit-per-request")?.rate ?? 1;
process.stdout.write(
  `${table([
    ["variant", "deliveries/s", "× commit per request", "p50 ms", "p99 ms", "RSS MB"],
    ...rows.map((row) => [
      row.variant,
      row.rate.toFixed(0),
      (row.rate / base).toFixed(2),
      row.p50.toFixed(1),
      row.p99.toFixed(1),
      row.rss.toFixed(0),
    ]),
  ])}\n`,
);
