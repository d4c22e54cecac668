import type { Actor, RepoName } from "../client.ts";
import { type Forge, type ForgeOptions, startForge } from "../index.ts";

export const widgets: RepoName = { owner: "acme", repo: "widgets" };
export const everyEvent = ["issues", "pull_request", "push", "create", "delete"];

/** A private repository that alice administers, bot writes and bob reads. */
export function startScene(options: ForgeOptions = {}): Promise<Forge> {
  return startForge({
    users: [{ login: "alice", fullName: "Alice Doe" }, "bot", "bob", "eve", { login: "root", admin: true }],
    repos: [
      {
        owner: "acme",
        name: "widgets",
        private: true,
        files: { "README.md": "hello\n", "src/name.ts": "export const a = 1;\n" },
        collaborators: { alice: "admin", bot: "write", bob: "read" },
        labels: [
          { name: "bug", color: "ee0701" },
          { name: "agent/ready", color: "0e8a16", exclusive: true },
          { name: "agent/held", color: "0e8a16", exclusive: true },
        ],
      },
      { owner: "alice", name: "open", files: { "README.md": "open\n" } },
    ],
    mergeableDelayMs: 0,
    ...options,
  });
}

/** A branch with one commit, and its pull request. */
export async function openPull(actor: Actor, head = "agent/1"): Promise<number> {
  await actor.push({ ...widgets, branch: head, message: `add ${head}`, files: { [`${head}.txt`]: "new\n" } });
  const pull = await actor.createPull({ ...widgets, head, base: "main", title: `Pull ${head}`, body: "Closes #1" });
  return pull.number;
}

interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** As loose as JSON is: tests look into answers of every shape. */
  json: ReturnType<typeof JSON.parse>;
}

/** A bare call, to look at the status and the headers. */
export async function call(
  forge: Forge,
  method: string,
  path: string,
  options: { token?: string; authorization?: string; body?: unknown } = {},
): Promise<Answer> {
  const authorization = options.authorization ?? (options.token ? `token ${options.token}` : undefined);
  const response = await fetch(`${forge.url}/api/v1${path}`, {
    method,
    headers: authorization ? { authorization } : {},
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json");
  const json: unknown = isJson ? JSON.parse(text) : undefined;
  return { status: response.status, headers: response.headers, text, json };
}

/** The words of a promise's failure; undefined when it succeeds. */
export const failure = (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => undefined,
    (error: unknown) => String(error),
  );
