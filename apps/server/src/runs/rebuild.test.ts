import { expect, test } from "bun:test";
import { ForgeError } from "../domain/forge.ts";
import type { Remains } from "../domain/rebuild.ts";
import type { SessionStart } from "../domain/session.ts";
import { executeRun } from "./execute.ts";
import type { RunDeps } from "./ports.ts";
import { comment, completed, forge, newRun, world } from "./testing/world.ts";

const never = new AbortController().signal;
const lost: SessionStart = { kind: "fresh", reason: "expired", detail: "25 h, limit 24 h" };
const down = () => Promise.reject(new ForgeError("no answer", { kind: "unavailable", status: null, ambiguous: true }));

/** A run whose session begins like this; what its prompt was rebuilt from, and how the run says that it began. */
async function begun(start: SessionStart, change: Partial<RunDeps> = {}) {
  const seen: Remains[] = [];
  const earlier = newRun({ id: "run-0" as never, state: "finished", finishedAt: 1, report: completed.report });
  const made = world({
    prompts: () => ({
      system: "",
      fresh: "fresh",
      resumed: "resumed",
      rebuilt(remains) {
        seen.push(remains);
        return "rebuilt";
      },
      told: [],
    }),
    async runAgent({ prompt }) {
      expect(["fresh", "resumed", "rebuilt"]).toContain(await prompt(start));
      return { ...completed, start };
    },
    ...change,
  });
  const book = { ...made.deps.runs, ofLane: async () => [made.run(), earlier] };
  await executeRun({ ...made.deps, runs: book }, made.job, never);
  return { seen, start: made.run().start };
}

const comments = async () => [
  comment(3, "dev-bot", "I am on it."),
  comment(2, "carol", "Make it pink."),
  comment(1, "claude-hooks", "<!-- claude-hooks:receipt x -->\n\nI work."),
];
const permission = async (_repo: string, login: string) => (login === "carol" ? ("read" as const) : ("write" as const));

test("a lost session is rebuilt from the last summary, the comments and the branch, and the run says from what", async () => {
  const { seen, start } = await begun(lost, { forge: () => ({ ...forge, comments, permission }) });
  expect(seen).toEqual([
    {
      summary: "Fixed it.",
      comments: [
        { author: "carol", tier: "outsider", at: 2_000, body: "Make it pink." },
        { author: "dev-bot", tier: "agent", at: 3_000, body: "I am on it." },
      ],
      log: "abc Fix",
      diff: "+fixed",
    },
  ]);
  expect(start).toEqual({ ...lost, rebuiltFrom: { comments: 2, diff: true, summary: true } });
});

test("a first start and a resumed one are rebuilt from nothing", async () => {
  for (const start of [
    { kind: "fresh", reason: "none", detail: null },
    { kind: "resumed", lastUsedAt: 1 },
  ] as const)
    expect(await begun(start)).toEqual({ seen: [], start });
});

test("what cannot be read is left out, and the run goes on", async () => {
  const { seen, start } = await begun(lost, {
    forge: () => ({ ...forge, comments: down }),
    history: () => Promise.reject(new Error("the mirror is gone")),
  });
  expect(seen).toMatchObject([{ comments: [], log: "", diff: "" }]);
  expect(start).toMatchObject({ rebuiltFrom: { comments: 0, diff: false, summary: true } });
});

test("who cannot be asked for is an outsider", async () => {
  const { seen } = await begun(lost, { forge: () => ({ ...forge, comments, permission: down }) });
  expect(seen[0]?.comments.map(({ tier }) => tier)).toEqual(["outsider", "agent"]);
});

test("a start after a reset says who asked for it", async () => {
  const none: SessionStart = { kind: "fresh", reason: "none", detail: null };
  const { start } = await begun(none, { forgotten: async () => ({ session: null, by: "ada", at: 1 }) });
  expect(start).toEqual({ ...none, detail: "ada asked for it with /reset" });
});
