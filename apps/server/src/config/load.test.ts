import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "./config.ts";
import { loadConfig } from "./load.ts";

const folder = mkdtempSync(join(tmpdir(), "claude-hooks-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const env = { SERVICE: "service-token", DEV: "dev-token", HOOK: "hook-secret", KEY: "model-key" };

const valid = () => ({
  state_dir: "state",
  forges: {
    main: {
      kind: "forgejo",
      url: "https://forge.example.org/",
      service_user: { login: "hooks", token: { env: "SERVICE" } },
    },
  },
  repositories: [{ forge: "main", id: 7, hook_id: "widgets", hook_secret: { env: "HOOK" } }],
  agents: {
    dev: {
      users: { main: { login: "dev-bot", token: { env: "DEV" } } },
      git: { name: "Dev", email: "dev@example.org" },
      model: "claude-sonnet-5",
    },
  },
  model: { api_key: { env: "KEY" } },
});

function load(content: unknown, environment: Record<string, string> = env) {
  const path = join(folder, "agents.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return loadConfig(path, environment);
}

function faults(content: unknown, environment?: Record<string, string>): readonly string[] {
  try {
    load(content, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe("a configuration", () => {
  test("is read with its defaults and its secrets", () => {
    const config = load(valid());
    expect(config.stateDir).toBe(join(folder, "state"));
    expect(config.listen).toEqual({ host: "127.0.0.1", port: 4500, metrics: false });
    expect(config.databaseUrl).toBe(`sqlite:${join(folder, "state")}/claude-hooks.db`);
    expect(config.sessionMaxAgeMs).toBe(86_400_000);
    expect(config.agents["dev"]?.sessionMaxAgeMs).toBe(86_400_000);
    expect(config.agents["dev"]?.type.branchPrefix).toBe("dev");
    expect(config.agents["dev"]?.users["main"]?.token).toBe("dev-token");
    expect(config.forges["main"]?.url).toBe("https://forge.example.org");
    expect(config.model.credential).toEqual({ kind: "api-key", value: "model-key" });
  });

  test("watches nothing unless a repository is named", () => {
    expect(load({ ...valid(), repositories: [] }).repositories).toEqual([]);
  });

  test("takes a session age per agent type", () => {
    const file = valid();
    const config = load({ ...file, agents: { dev: { ...file.agents.dev, session_max_age_ms: 5 } } });
    expect(config.agents["dev"]?.sessionMaxAgeMs).toBe(5);
  });

  test("reads a secret from a file beside it, without the line's end", () => {
    writeFileSync(join(folder, "key"), "from-a-file\n");
    expect(load({ ...valid(), model: { api_key: { file: "key" } } }).model.credential.value).toBe("from-a-file");
  });

  test("says every fault at once, with the path of each", () => {
    const file = { ...valid(), colour: "blue", session_max_age_ms: 0, repositories: [{ forge: "main", id: "seven" }] };
    const found = faults(file);
    expect(found).toContain("colour: unknown key");
    expect(found.some((fault) => fault.startsWith("session_max_age_ms: expected milliseconds"))).toBe(true);
    expect(found.some((fault) => fault.startsWith("repositories.0.id: expected the repository's numeric id"))).toBe(
      true,
    );
    expect(found.some((fault) => fault.startsWith("repositories.0.hook_id"))).toBe(true);
  });

  test.each([0, -1, 1.5, "24h", null])("refuses %p as the maximum age of a session", (value) => {
    const found = faults({ ...valid(), session_max_age_ms: value });
    expect(found).toHaveLength(1);
    expect(found[0]).toStartWith("session_max_age_ms: expected milliseconds, a whole number above 0");
  });

  test("names the variable of a secret that is not set, and never a secret", () => {
    expect(faults(valid(), { SERVICE: "x", HOOK: "y", KEY: "z" })).toEqual([
      "agents.dev.users.main.token: the environment variable DEV is not set",
    ]);
  });

  test("refuses a secret that is written into the file, without repeating it", () => {
    const found = faults({ ...valid(), model: { api_key: "sk-ant-secret" } });
    expect(found[0]).toStartWith("model.api_key: expected");
    expect(found.join()).not.toContain("sk-ant-secret");
  });

  test("refuses names that point nowhere and users that are shared", () => {
    const file = valid();
    const agent = file.agents.dev;
    const found = faults({
      ...file,
      repositories: [...file.repositories, { ...file.repositories[0], forge: "other" }, file.repositories[0]],
      agents: {
        dev: agent,
        twin: agent,
        hooks: { ...agent, users: { main: { login: "HOOKS", token: { env: "DEV" } } } },
      },
    });
    expect(found).toContain('repositories.1.forge: there is no forge "other" in forges');
    expect(found).toContain("repositories.2.hook_id: repositories.0 has the same");
    expect(found).toContain(
      "agents.twin.users.main.login: agents.dev.users.main has the same; every agent type needs its own",
    );
    expect(found).toContain(
      "agents.hooks.users.main.login: forges.main.service_user has the same; every agent type needs its own",
    );
  });

  test("that is missing or not JSON says where to start", () => {
    expect(() => loadConfig(join(folder, "absent.json"), env)).toThrow("start from config/agents.example.json");
    expect(faults("{")[0]).toStartWith("not JSON");
  });
});
