import type { Effect } from "./layers.ts";

/** Members of globals, and exports of the module of the same name, that reach the outside world. */
export const members: Readonly<Record<string, Readonly<Record<string, Effect>>>> = {
  Date: { now: "clock" },
  performance: { now: "clock" },
  process: { env: "environment", hrtime: "clock" },
  Bun: {
    env: "environment",
    nanoseconds: "clock",
    sleep: "timers",
    sleepSync: "timers",
    spawn: "processes",
    spawnSync: "processes",
    $: "processes",
  },
};

export const functions: Readonly<Record<string, Effect>> = { setTimeout: "timers", setInterval: "timers" };

const whole = { "*": "processes" } as const;

/** Modules by their name without `node:`; `*` stands for every export. */
export const modules: Readonly<Record<string, Readonly<Record<string, Effect>>>> = {
  bun: members["Bun"] ?? {},
  child_process: whole,
  process: members["process"] ?? {},
  perf_hooks: { performance: "clock" },
  timers: functions,
  "timers/promises": { "*": "timers" },
};

export const advice: Readonly<Record<Effect, string>> = {
  clock: "Take the time as an argument: `now: number`, or a Clock.",
  timers: "Ask for a timer as an argument; the real ones stand in infrastructure.",
  environment: "Only config reads the environment; take the value as an argument.",
  processes: "Ask for a narrow function as an argument; infrastructure starts processes.",
};
