import { z } from "zod";

const name = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, {
  error: "expected a name of lower-case letters, digits and dashes that starts with a letter (at most 32)",
});

const positiveInteger = (what: string) =>
  z
    .number({ error: `expected ${what}, a whole number above 0` })
    .int(`expected ${what}, a whole number above 0`)
    .positive(`expected ${what}, a whole number above 0`);

const milliseconds = positiveInteger("milliseconds");

const secret = z
  .union(
    [
      z.strictObject({ file: z.string().min(1) }),
      z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/) }),
    ],
    {
      error: 'expected {"file": "path"} or {"env": "NAME"}; a secret is never written into this file',
    },
  )
  .describe("Where a secret is read from at start: a file (relative to this one) or an environment variable.");

const httpUrl = z
  .url({ protocol: /^https?$/, error: "expected an http or https address" })
  .transform((url) => url.replace(/\/+$/, ""));

const forgeUser = z.strictObject({
  login: z.string().min(1).describe("Its login on the forge."),
  token: secret,
});

const forge = z.strictObject({
  kind: z.enum(["forgejo"]),
  url: httpUrl.describe("Where the forge's pages are, e.g. https://forge.example.org"),
  service_user: forgeUser.describe(
    "Writes receipts and asks for permissions; an administrator of the watched repositories. Scopes: write:repository, write:issue, read:user.",
  ),
});

const repository = z.strictObject({
  forge: name.describe("A key of `forges`."),
  id: positiveInteger("the repository's numeric id on the forge").describe(
    "The forge's numeric id of the repository (names change): `id` of GET /api/v1/repos/<owner>/<name>.",
  ),
  hook_id: name.describe("The last part of this repository's webhook address: /webhooks/<forge>/<hook_id>."),
  hook_secret: secret,
  base_branch: z.string().min(1).optional().describe("What agents start from; default: the forge's default branch."),
  setup: z.string().min(1).optional().describe("A shell command, run in the jail before the agent (no network)."),
  test_command: z.string().min(1).optional().describe("What the agent is told to run before it commits."),
});

/** The built-in tools that an agent has unless its type says otherwise: files and a shell, nothing that reaches out. */
const defaultTools = ["Bash", "Read", "Edit", "Write", "Glob", "Grep"] as const;

const agent = z.strictObject({
  users: z
    .record(name, forgeUser)
    .describe("This agent's own user on each forge: author of its branch and pull requests."),
  git: z.strictObject({ name: z.string().min(1), email: z.email({ error: "expected an e-mail address" }) }),
  branch_prefix: name.optional().describe("Its branches are <branch_prefix>/<number>; default: the agent type's name."),
  model: z.string().min(1),
  tools: z
    .array(z.string().min(1))
    .min(1)
    .default([...defaultTools])
    .describe("Built-in tools of the agent that it may use."),
  max_turns: positiveInteger("turns").optional(),
  deadline_ms: milliseconds.default(60 * 60_000).describe("Longest time that one run's agent may work."),
  stall_ms: milliseconds.default(10 * 60_000).describe("Longest silence of an agent before its run is ended."),
  session_max_age_ms: milliseconds.optional().describe("Overrides the file's session_max_age_ms for this type."),
});

const model = z.strictObject({
  base_url: httpUrl.default("https://api.anthropic.com"),
  api_key: secret.optional(),
  oauth_token: secret.optional(),
});

const limits = z.strictObject({
  concurrent_runs: positiveInteger("runs").default(2),
  run_attempts: positiveInteger("attempts").default(3).describe("How often a task is tried before it fails for good."),
  setup_timeout_ms: milliseconds.default(10 * 60_000),
  gather_ms: milliseconds
    .default(20_000)
    .describe("Comments without a mention and reviews start their run this long after the last of them."),
  gather_max_ms: milliseconds.default(2 * 60_000).describe("But not later than this after the first of them."),
  shutdown_grace_ms: milliseconds.default(60_000).describe("How long running agents may finish after SIGTERM."),
  queued_deliveries: positiveInteger("deliveries").default(5_000).describe("More waiting for the disk than this: 503."),
});

const jail = z.strictObject({
  kind: z.enum(["bwrap"]).default("bwrap"),
  processes: positiveInteger("processes").default(512),
  file_size_bytes: positiveInteger("bytes").default(1024 ** 3),
  cpu_seconds: positiveInteger("seconds").default(3_600),
  open_files: positiveInteger("files").default(4_096),
  tmp_bytes: positiveInteger("bytes").default(256 * 1024 ** 2),
  first_uid: z
    .number()
    .int()
    .min(1_000)
    .max(2_000_000_000)
    .default(200_000)
    .describe("Started as root only: lanes get unprivileged user ids from here on."),
  tools: z
    .array(z.strictObject({ from: z.string().startsWith("/"), to: z.string().startsWith("/opt/tools/") }))
    .default([])
    .describe(
      "Toolchains seen read-only inside, e.g. {from: /usr/local/lib/bun/bin/bun, to: /opt/tools/bun}: an executable's folder or a folder's bin is on PATH.",
    ),
});

/** `config/agents.json` as written by people; every unknown key is a fault. */
export const ConfigFile = z.strictObject({
  $schema: z.string().optional(),
  state_dir: z.string().min(1).describe("Database, mirrors, checkouts and sockets live here; relative to this file."),
  flows_dir: z
    .string()
    .min(1)
    .default("../flows/custom")
    .describe("The operator's own flows, which shadow the shipped ones by file name; relative to this file."),
  skills_dir: z
    .string()
    .min(1)
    .default("../skills/custom")
    .describe("The operator's own skills, which shadow the shipped ones by file name; relative to this file."),
  listen: z
    .strictObject({
      host: z.string().min(1).default("127.0.0.1"),
      port: z.number().int().min(0).max(65_535).default(4_500),
      metrics: z.boolean().default(false).describe("Serve /metrics on this address too, not only on the unix socket."),
    })
    .prefault({}),
  database: secret.optional().describe("A postgres:// address; default: an SQLite file in state_dir."),
  forges: z.record(name, forge),
  repositories: z
    .array(repository)
    .default([])
    .describe("What is watched. Nothing else is: an empty list watches nothing."),
  agents: z.record(name, agent),
  model,
  session_max_age_ms: milliseconds.default(24 * 60 * 60_000),
  retention_days: positiveInteger("days")
    .default(30)
    .describe(
      "How long transcripts, what is over and what was set aside stay; reopened within it, an issue is resumed.",
    ),
  limits: limits.prefault({}),
  jail: jail.prefault({}),
});
export type ConfigFile = z.infer<typeof ConfigFile>;
export type SecretSource = z.infer<typeof secret>;
