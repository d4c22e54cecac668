import { expect, setDefaultTimeout, test } from "bun:test";
import { devScript, implement, implemented, promptOf, timesIn, told, whenAsked, widgets } from "./play.ts";
import { testTimeoutMs } from "./until.ts";
import { openWorld } from "./world.ts";

setDefaultTimeout(testTimeoutMs);

test("a review that requests changes resumes the agent once, and tells it what it says as a whole and on lines", async () => {
  await using world = await openWorld({ script: devScript(implement, whenAsked) });
  const { forge, model } = world;
  const service = await implemented(world);
  await forge.as("alice").review({
    ...widgets,
    number: 2,
    event: "REQUEST_CHANGES",
    body: "nearly-there",
    comments: [
      { path: "a.txt", body: "say-it-louder", new_position: 1 },
      { path: "README.md", body: "tell-of-it-here", old_position: 1 },
    ],
  });
  const [first, second] = await service.finished(2);
  expect(await service.idle()).toHaveLength(2);
  expect(second).toMatchObject({ outcome: "succeeded", commits: 1, session: first?.session ?? "" });
  const prompt = promptOf(model.requests().findLast(({ prompt: text }) => text.includes("nearly-there")));
  expect([...prompt.matchAll(/^Event \d+: (\S+), by (\S+ \(\w+\))/gm)].map(([, ...said]) => said)).toEqual([
    ["review.submitted", "alice (maintainer)"],
  ]);
  expect(prompt).toContain("A review of pull request #2: changes_requested.");
  const places = prompt.split(/^(?=On )/m).slice(1);
  expect(places).toHaveLength(2);
  expect(places[0]).toStartWith("On a.txt, line 1:\n");
  expect(places[0]).toContain("@@ -0,0 +1 @@\n+Add a\n\nsay-it-louder");
  expect(places[1]).toStartWith("On README.md, line 1 (as it was before):\n");
  for (const words of ["nearly-there", "say-it-louder", "tell-of-it-here"])
    expect([words, timesIn(prompt, words)]).toEqual([words, 1]);
  expect(prompt).not.toContain("could not be read");
  expect(model.unexpected()).toEqual([]);
});

test("remarks made one by one, each a review without words, are each told once", async () => {
  await using world = await openWorld({
    script: devScript(implement, whenAsked),
    config: { limits: { shutdown_grace_ms: 2_000, gather_ms: 1_500, gather_max_ms: 20_000 } },
  });
  const { forge, model } = world;
  const service = await implemented(world);
  const remarks = ["one-by-one-1a", "one-by-one-2b", "one-by-one-3c"];
  for (const body of remarks) {
    const comments = [{ path: "a.txt", body, new_position: 1 }];
    await forge.as("alice").review({ ...widgets, number: 2, event: "COMMENT", comments });
  }
  await service.finished(2);
  await service.idle();
  const last = told(model.requests().at(-1)!);
  for (const body of remarks) expect([body, timesIn(last, body)]).toEqual([body, 1]);
});

test("a review whose remarks the forge keeps to itself is told as far as it goes, and that something is missing", async () => {
  await using world = await openWorld({ script: devScript(implement, whenAsked) });
  const { forge, model } = world;
  const service = await implemented(world);
  forge.faults.fail({ method: "GET", path: "/reviews", status: 502, times: Number.POSITIVE_INFINITY });
  const comments = [{ path: "a.txt", body: "never-heard", new_position: 1 }];
  await forge.as("alice").review({ ...widgets, number: 2, event: "COMMENT", body: "half-heard", comments });
  const runs = await service.finished(2);
  expect(runs[1]).toMatchObject({ outcome: "succeeded" });
  const prompt = promptOf(model.requests().findLast(({ prompt: text }) => text.includes("half-heard")));
  expect(prompt).toContain("[What it says on lines of the diff could not be read.]");
  expect(prompt).not.toContain("never-heard");
});
