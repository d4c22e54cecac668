import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyClone } from "../uid/clone.ts";
import { type Burglary, burgle, canaries, findingsIn, mark, planted, type Who } from "./burglary.ts";
import { placesOf } from "./search.ts";

const isRoot = process.getuid?.() === 0;

const refusedByTheBroker = [
  "GET /v1/messages",
  "GET /v1/models",
  "GET /",
  "POST /v1/messages/batches",
  "POST /v1/files",
  "POST /v1/complete",
  "POST /v1/messages?redirect=1",
  "POST /v1/messages/../models",
  "POST //v1/messages",
  "POST /v1/messages%2f..%2fmodels",
  "GET /v1/organizations/api_keys",
  "PUT /v1/messages",
  "POST http://169.254.169.254/latest/meta-data",
  "TRACE /v1/messages",
];
/** All that works from inside a jail. */
const allowed = [
  "read /repo/README.md",
  "wrote /repo",
  "wrote /tmp",
  "wrote /home/agent",
  "control connected",
  "broker POST /v1/messages/count_tokens: 200",
  ...refusedByTheBroker.map((request) => `broker ${request}: 403`),
];

/** The resumed transcript's folder is mounted where the service has it: the way there is made in the jail, of nothing. */
const wayToTheTranscript = [
  "read <folder>: state",
  "read <state>: tmp",
  "read <state>/tmp: claude-resume-<uuid>",
  // Where it lies below /tmp, which is the jail's own.
  "wrote <folder>",
  "wrote <state>",
  "wrote /tmp/link",
];

const users = isRoot ? ["root", "an ordinary user"] : ["the user of these tests"];
describe.each(users)("an agent whose service was started by %s", (user) => {
  const opened = new AsyncDisposableStack();
  let burglary: Burglary;
  beforeAll(async () => {
    burglary = await burgle(opened, user === "an ordinary user" ? await ordinaryUser(opened) : {});
  }, 100_000);
  afterAll(() => opened.disposeAsync(), 60_000);

  test("reads, writes and reaches nothing but its own", () => {
    expect(findingsIn(burglary.findings[0], burglary.world)).toEqual(allowed);
  });

  test("gets no further in a resumed session", () => {
    const found = findingsIn(burglary.findings[1], burglary.world);
    expect(found).toEqual(expect.arrayContaining(allowed));
    expect(found.filter((line) => !allowed.includes(line) && !wayToTheTranscript.includes(line))).toEqual([]);
  });

  test("has left files in its checkout and its home, and nowhere else on the machine", () => {
    const lane = join(burglary.world.stateDir, "lanes/2");
    expect(burglary.written).toEqual([join(lane, "checkout", mark), join(lane, "home", mark)]);
  });

  test("has connected to nothing", () => {
    expect(burglary.hits).toBe(0);
  });

  test.each(["hook", "service", "agent", "model"] as const)("has told the %s secret to nobody", (name) => {
    expect(placesOf(burglary.world.secrets[name], burglary.places)).toEqual([]);
  });

  test.each(["ssh", "env", "claude"] as const)("has told nothing of the service user's own: %s", (name) => {
    expect(placesOf(canaries[name], burglary.places)).toEqual([]);
  });

  test("has told nothing of its neighbour, which ran beside it", () => {
    expect(placesOf(burglary.kept, burglary.places)).toEqual([]);
  });

  test("is heard everywhere with what it does say, so that the search would find the rest", () => {
    expect(placesOf(planted, burglary.places)).toEqual(
      expect.arrayContaining([
        "issues and pull requests",
        "comments",
        "branches",
        "webhooks",
        "the model",
        "the API",
        "the log",
        "table deliveries",
        "table events",
        "table runs",
        "table run_stream",
        "table effects",
      ]),
    );
  });
});

async function ordinaryUser(opened: AsyncDisposableStack): Promise<Who> {
  const folder = await mkdtemp(join(tmpdir(), "claude-hooks-clone-"));
  opened.defer(() => rm(folder, { recursive: true }));
  await chmod(folder, 0o755);
  return { uid: 64_002, program: await copyClone(folder) };
}

test.each(["", "x", "xx"])("the search sees a secret that was written in another way after '%s'", (before) => {
  const secret = "canary-42b0e1d7aa";
  const text = `${before}${secret}zz`;
  const written = {
    plain: text,
    base64: Buffer.from(text).toString("base64"),
    base64url: Buffer.from(text).toString("base64url"),
    hex: Buffer.from(text).toString("hex"),
    HEX: Buffer.from(text).toString("hex").toUpperCase(),
    reversed: text.split("").toReversed().join(""),
    none: "canary-42b0e1d7ab",
  };
  const places = Object.entries(written).map(([name, form]) => ({ name, text: form }));
  expect(placesOf(secret, places)).toEqual(["plain", "base64", "base64url", "hex", "HEX", "reversed"]);
});
