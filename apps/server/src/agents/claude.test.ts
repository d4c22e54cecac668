import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bash, type Laid, layOut, resumeOf, runReal } from "./testing/places.ts";

// The real binary starts in half a second, on a busy machine in several.
setDefaultTimeout(60_000);

const open: Laid[] = [];
afterEach(async () => {
  for (const laid of open.splice(0)) await laid[Symbol.asyncDispose]();
});
async function lay(...parameters: Parameters<typeof layOut>): Promise<Laid> {
  const laid = await layOut(...parameters);
  open.push(laid);
  return laid;
}

const working = [
  { steps: [{ text: "I write it.", tools: bash("echo made > made.txt; cat made.txt") }, { text: "It is made." }] },
  { when: { prompt: "RESUMED" }, steps: [{ text: "I remember." }] },
];

describe("a run of the real agent", () => {
  test("works, tells what it does, and is resumed under the same id with what it remembers", async () => {
    const { place, cwd, model } = await lay(working);
    const first = await runReal(place);
    expect(first.outcome).toMatchObject({ kind: "completed", report: { summary: "It is made.", turns: 2 } });
    expect(await readFile(join(cwd, "made.txt"), "utf8")).toBe("made\n");
    const types = first.raw.map((json) => (JSON.parse(json) as { type: string }).type);
    expect(types).toEqual(expect.arrayContaining(["system", "assistant", "user", "result"]));
    const id = first.outcome.session!;
    const totals = first.kept.at(-1)!;

    const second = await runReal(place, { choice: resumeOf(id), totalsBefore: totals });
    expect(second.outcome).toMatchObject({
      kind: "completed",
      session: id,
      start: { kind: "resumed" },
      report: { summary: "I remember.", turns: 1 },
    });
    expect(second.counted).toEqual([]);
    expect(JSON.stringify(model.requests().at(-1)?.body)).toContain("FRESH, please");
    const after = second.kept.at(-1)!;
    const { costUsd, inputTokens } = second.outcome.report!;
    expect(costUsd).toBeCloseTo(after.costUsd - totals.costUsd, 10);
    expect(costUsd).toBeGreaterThan(0);
    expect(inputTokens).toBe(after.inputTokens - totals.inputTokens);
    expect(model.unexpected()).toEqual([]);
  });

  const lost = [
    ["a session that is not there", "11111111-1111-4111-8111-111111111111", "not-found"],
    ["a session id that is none", "nonsense", "invalid-id"],
  ] as const;
  test.each(lost)("%s: counted, dropped, and begun afresh in the same run", async (_, id, reason) => {
    const { place, model } = await lay(working);
    const { outcome, counted, dropped } = await runReal(place, { choice: resumeOf(id) });
    expect(outcome).toMatchObject({
      kind: "completed",
      start: { kind: "fresh", reason: "resume-failed", detail: expect.stringContaining(id) },
      report: { summary: "It is made.", turns: 2 },
    });
    expect(outcome.session).not.toBe(id);
    expect([counted, dropped as string[]]).toEqual([[reason], [id]]);
    expect(model.requests()).toHaveLength(2);
  });

  test("that says something and does nothing completes: whether that is enough is for others to say", async () => {
    const { place } = await lay([{ steps: [{ text: "Nothing to do." }] }]);
    expect((await runReal(place)).outcome).toMatchObject({
      kind: "completed",
      report: { summary: "Nothing to do.", turns: 1 },
    });
  });

  test("goes on after its first result while a background task is under way", async () => {
    const { place, cwd } = await lay([
      {
        steps: [
          { tools: bash("until test -e go; do sleep 0.02; done", { run_in_background: true }) },
          { text: "It runs." },
          { text: "Now it is done." },
        ],
      },
    ]);
    const results: string[] = [];
    const onRaw = (json: string) => {
      const { type, result } = JSON.parse(json) as { type: string; result: string };
      if (type !== "result") return;
      results.push(result);
      writeFileSync(join(cwd, "go"), "");
    };
    expect((await runReal(place, { onRaw })).outcome).toMatchObject({
      kind: "completed",
      report: { summary: "Now it is done.", turns: 3 },
    });
    expect(results).toEqual(["It runs.", "Now it is done."]);
  });

  test("takes its prompt as words: no command of its own, no file that is mentioned", async () => {
    const { place, cwd, model } = await lay([{ repeat: true, steps: [{ text: "Read." }] }]);
    await writeFile(join(cwd, "notes.txt"), "what the file says");
    for (const prompt of ["/cost", "Look at @notes.txt"])
      expect((await runReal(place, { prompt: async () => prompt })).outcome).toMatchObject({
        report: { summary: "Read." },
      });
    const sent = JSON.stringify(model.requests().map(({ body }) => body));
    expect(model.requests()).toHaveLength(2);
    expect(sent).toContain("Look at @notes.txt");
    expect(sent).not.toContain("what the file says");
  });

  test("loads nothing of the repository's settings", async () => {
    const { place, cwd, root } = await lay([{ steps: [{ text: "Quiet." }] }]);
    const marker = join(root, "marker");
    const hook = { hooks: [{ type: "command", command: `touch ${marker}` }] };
    await mkdir(join(cwd, ".claude"));
    const settings = {
      hooks: { SessionStart: [hook], UserPromptSubmit: [hook], Stop: [hook] },
      apiKeyHelper: `touch ${marker}`,
      env: { ANTHROPIC_BASE_URL: "http://127.0.0.1:1" },
    };
    for (const name of ["settings.json", "settings.local.json"])
      await writeFile(join(cwd, ".claude", name), JSON.stringify(settings));
    const mcpServers = { evil: { command: "touch", args: [marker] } };
    await writeFile(join(cwd, ".mcp.json"), JSON.stringify({ mcpServers }));
    expect((await runReal(place)).outcome).toMatchObject({ report: { summary: "Quiet." } });
    expect(existsSync(marker)).toBe(false);
  });
});
