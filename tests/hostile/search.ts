import { Database } from "bun:sqlite";
import { join } from "node:path";
import type { ServiceProcess } from "../e2e/service-process.ts";
import { repository, type World } from "../e2e/world.ts";

/** Somewhere that people or machines can read what an agent has said or made. */
export interface Place {
  name: string;
  text: string;
}

/** A secret as it stands, and as it is written to get it past a search. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  // What stands before it shifts where base64 cuts; the first and last characters depend on the neighbours.
  const shifted = [0, 1, 2].map((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    return whole.slice(Math.ceil((shift * 8) / 6), -1);
  });
  return [
    secret,
    ...shifted,
    ...shifted.map((form) => form.replaceAll("+", "-").replaceAll("/", "_")),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    secret.split("").toReversed().join(""),
  ];
}

/** Names of the places in which a secret stands in any of its forms. */
export function placesOf(secret: string, places: readonly Place[]): string[] {
  if (secret.length < 12) throw new Error("too short to search for: it could be found by chance");
  const forms = formsOf(secret);
  return places.filter(({ text }) => forms.some((form) => text.includes(form))).map(({ name }) => name);
}

/** Everything that leaves the service or is kept by it; the service is stopped for it. */
export async function everyPlace(world: World, service: ServiceProcess): Promise<Place[]> {
  const api = await everyAnswer(world);
  const code = await service.stop();
  if (code !== 0) throw new Error(`the service ended with exit code ${code}:\n${service.log}`);
  const { forge } = world;
  const subjects = [...forge.issues(repository), ...forge.pullRequests(repository)];
  const comments = subjects.flatMap(({ number }) => forge.comments(repository, number));
  return [
    { name: "issues and pull requests", text: JSON.stringify(subjects) },
    { name: "comments", text: JSON.stringify(comments) },
    { name: "branches", text: await gitObjects(join(forge.dir, `${repository}.git`)) },
    {
      name: "webhooks",
      text: forge
        .deliveries()
        .map(({ body }) => new TextDecoder().decode(body))
        .join("\n"),
    },
    { name: "the model", text: JSON.stringify(world.model.requests().map(({ body, headers }) => ({ body, headers }))) },
    { name: "the API", text: api },
    { name: "the log", text: service.log },
    ...tables(world.stateDir),
  ];
}

async function everyAnswer({ stateDir }: World): Promise<string> {
  const get = async (path: string): Promise<string> =>
    await (await fetch(`http://claude-hooks${path}`, { unix: join(stateDir, "api.sock") })).text();
  const list = await get("/api/v1/runs?limit=100");
  const { runs } = JSON.parse(list) as { runs: { id: string; thread: string }[] };
  const paths = runs.flatMap(({ id, thread }) => [
    `/api/v1/runs/${id}`,
    `/api/v1/runs/${id}/stream`,
    `/api/v1/explain?subject=${id}`,
    `/api/v1/explain?subject=${encodeURIComponent(thread)}`,
  ]);
  const others = ["/api/v1/status", "/metrics"];
  return [list, ...(await Promise.all([...paths, ...others].map(get)))].join("\n");
}

/** Every object of a bare repository, those that no branch has any more too. */
async function gitObjects(path: string): Promise<string> {
  const command = ["git", `--git-dir=${path}`, "cat-file", "--batch-all-objects", "--batch"];
  const git = Bun.spawn(command, { stdio: ["ignore", "pipe", "inherit"] });
  const text = await new Response(git.stdout).text();
  if ((await git.exited) !== 0) throw new Error(`the objects of ${path} cannot be read`);
  return text;
}

function tables(stateDir: string): Place[] {
  using database = new Database(join(stateDir, "claude-hooks.db"), { readonly: true });
  const names = database.query("select name from sqlite_master where type = 'table'").all() as { name: string }[];
  return names.map(({ name }) => {
    const rows = database.query(`select * from "${name}"`).values();
    return { name: `table ${name}`, text: rows.flat().map(readable).join("\n") };
  });
}

function readable(value: unknown): string {
  if (!(value instanceof Uint8Array)) return String(value);
  const isZstd = Buffer.from(value.subarray(0, 4)).toString("hex") === "28b52ffd";
  return new TextDecoder().decode(isZstd ? Bun.zstdDecompressSync(value) : value);
}
