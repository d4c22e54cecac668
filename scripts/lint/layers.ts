/**
 * Who may import whom, and who may touch the world: the one table that the linter's own rules read (`plugin.ts`).
 *
 * A file belongs to the first layer that one of its `files` globs matches; a file of a workspace that no layer claims
 * is refused, so a new folder starts with a line here. `imports` names layers, and workspaces by their package name;
 * a layer may always import itself. To add a stage or a pure file, extend `stages` or `pureFiles`.
 */

/** A thing of the outside world that is handed to most code as an argument instead. */
export type Effect = "clock" | "timers" | "environment" | "processes";

export interface Layer {
  name: string;
  files: readonly string[];
  imports: readonly string[] | "everything";
  /** Globs over npm packages and Node's modules; absent: no limit. */
  packages?: readonly string[];
  effects: readonly Effect[];
}

const server = "apps/server/src";
const api = "@claude-hooks/api";
const everyEffect: readonly Effect[] = ["clock", "timers", "environment", "processes"];

/** The folders on the way of the data. None of them knows another: what passes between them is a type in `domain`. */
const stages = [
  "webhook",
  "events",
  "flows",
  "sessions",
  "tasks",
  "runs",
  "effects",
  "http",
  "agents",
  "jail",
  "broker",
  "workdir",
  "forges",
];

/** What a stage may use beside `domain`, `security` and its own folder. */
const stageExtras: Record<string, readonly string[]> = { http: [api] };

/** Deciders inside a stage's folder: data in, data out. */
const pureFiles: Record<string, readonly string[]> = {
  events: ["deltas.ts", "keys.ts", "sets.ts"],
  flows: [
    "check.ts",
    "contexts.ts",
    "decide.ts",
    "expressions.ts",
    "flow.ts",
    "lane-events.ts",
    "match.ts",
    "schema.ts",
    "types.ts",
  ],
  jail: ["settings.ts"],
  runs: ["receipt.ts"],
  sessions: ["choose.ts", "fence.ts", "inbox.ts", "prompt.ts", "rebuilt.ts", "records.ts", "system-prompt.ts"],
  tasks: ["retry.ts"],
};

/** Libraries that only turn data into data. */
const purePackages = [
  "zod",
  "yaml",
  "jsonc-parser",
  "liquidjs",
  "@actions/expressions",
  "mdast-util-*",
  "micromark-*",
  "node:crypto",
  "node:path",
];

const edges: readonly Layer[] = [
  {
    name: "tests",
    files: ["**/*.test.{ts,tsx}", "**/testing/**", "tests/**", "bench/**"],
    imports: "everything",
    effects: everyEffect,
  },
  { name: "scripts", files: ["scripts/**", "*.config.ts"], imports: [], effects: everyEffect },
  { name: "simulators", files: ["packages/*-sim/src/**"], imports: [], effects: everyEffect },
  { name: "api", files: ["packages/api/src/**"], imports: [], packages: ["zod"], effects: [] },
  {
    name: "cli demo",
    files: ["apps/cli/src/demo/**", "apps/cli/src/demo.ts"],
    imports: ["cli", "@claude-hooks/server", api, "@claude-hooks/forge-sim", "@claude-hooks/model-sim"],
    effects: everyEffect,
  },
  // What a person takes over runs in the terminal of the command line.
  {
    name: "cli terminal",
    files: ["apps/cli/src/terminal.ts"],
    imports: ["cli"],
    effects: ["timers", "environment", "processes"],
  },
  {
    name: "cli",
    files: ["apps/cli/src/**"],
    imports: ["cli demo", "cli terminal", "@claude-hooks/server", api],
    effects: ["timers", "environment"],
  },
];

const stageLayers = stages.flatMap((stage): Layer[] => {
  const pure = pureFiles[stage] ?? [];
  const pureName = `${stage} (pure)`;
  const pureLayer: Layer = {
    name: pureName,
    files: pure.map((file) => `${server}/${stage}/${file}`),
    imports: ["domain", "security"],
    packages: purePackages,
    effects: [],
  };
  const layer: Layer = {
    name: stage,
    files: [`${server}/${stage}/**`],
    imports: ["domain", "security", pureName, ...(stageExtras[stage] ?? [])],
    effects: [],
  };
  return pure.length > 0 ? [pureLayer, layer] : [layer];
});

const everyServerLayer = ["domain", "security", "config", "infrastructure", ...stageLayers.map(({ name }) => name)];

const serverLayers: readonly Layer[] = [
  { name: "domain", files: [`${server}/domain/**`], imports: [], packages: ["zod"], effects: [] },
  { name: "security", files: [`${server}/security/**`], imports: ["domain"], packages: purePackages, effects: [] },
  // A process of its own: its main is what app.ts is to the server, but sees only the broker.
  {
    name: "broker main",
    files: [`${server}/broker/main.ts`],
    imports: ["broker", "domain", "logger"],
    effects: ["clock", "timers", "environment"],
  },
  ...stageLayers,
  {
    name: "config",
    files: [`${server}/config/**`],
    imports: ["domain"],
    effects: ["clock", "environment", "processes"],
  },
  {
    name: "logger",
    files: [`${server}/infrastructure/logger.ts`],
    imports: ["domain"],
    effects: everyEffect,
  },
  {
    name: "infrastructure",
    files: [`${server}/infrastructure/**`],
    imports: ["domain", "logger"],
    effects: everyEffect,
  },
  {
    name: "composition",
    files: [`${server}/main.ts`, `${server}/app.ts`, `${server}/app/**`],
    imports: [...everyServerLayer, "logger", api],
    effects: [],
  },
];

export const layers: readonly Layer[] = [...edges, ...serverLayers];
