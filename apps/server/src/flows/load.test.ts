import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatFault } from "../domain/fault.ts";
import { eventKinds } from "./contexts.ts";
import { type FlowText, loadFlows } from "./load.ts";
import { faultsOf, load, names, shippedFlows, steps, withIf } from "./testing/flows.ts";

describe("loading", () => {
  test("takes the shipped flows with any agents", async () => {
    const skills = ["implement", "follow-up"];
    for (const agents of [["dev"], ["alice", "bob"]]) {
      const loaded = loadFlows({ defaults: shippedFlows, custom: [], agents, skills });
      expect(loaded).toMatchObject({ kind: "loaded" });
      if (loaded.kind !== "loaded") continue;
      expect(loaded.flows).toHaveLength(shippedFlows.length);
    }
  });

  test("takes every flow that the documentation shows", async () => {
    const page = await Bun.file(`${import.meta.dir}/../../../../docs/flows.md`).text();
    const shown = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = ""]) => faultsOf(text));
    expect(shown).toEqual([[], []]);
  });

  test("the documentation names every event", async () => {
    const page = await Bun.file(`${import.meta.dir}/../../../../docs/flows.md`).text();
    for (const kind of eventKinds) expect(page).toContain(`\`${kind}\``);
  });

  test("an operator's file shadows the shipped one of the same name, faults and all", () => {
    const defaults = [{ file: "flows/defaults/a.yaml", text: "broken: [" }];
    const custom = [{ file: "flows/custom/a.yaml", text: `name: Mine\non: issue.opened\n${steps}` }];
    const loaded = loadFlows({ defaults, custom, ...names });
    expect(loaded).toMatchObject({ kind: "loaded", flows: [{ name: "Mine", origin: "custom" }] });
  });

  test("orders flows by file name, whatever the order they are given in", () => {
    const text = (name: string): FlowText => ({
      file: `${name}.yaml`,
      text: `name: ${name}\non: issue.opened\n${steps}`,
    });
    const forwards = load(text("a"), text("b"), text("c"));
    const backwards = load(text("c"), text("b"), text("a"));
    if (forwards.kind === "refused" || backwards.kind === "refused") throw new Error("refused");
    expect(forwards.flows.map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expect(backwards.flows.map(({ name }) => name)).toEqual(["a", "b", "c"]);
  });

  test("`by` is writer where a flow does not say it", () => {
    for (const on of ["issue.opened", "[issue.opened]", "{ issue.opened: }", "{ issue.opened: {} }"]) {
      const loaded = load({ file: "a.yaml", text: `name: a\non: ${on}\n${steps}` });
      expect(loaded).toMatchObject({ kind: "loaded", flows: [{ on: { "issue.opened": { by: "writer" } } }] });
    }
  });

  test("takes a condition with braces, without them, over lines, and as true or false", () => {
    const conditions = [
      "thread.state == 'open'",
      "${{ thread.state == 'open' }}",
      "${{ !contains(thread.labels, 'later') && thread['STATE'] != 'closed' }}",
      "|\n  ${{\n    thread.state == 'open'\n  }}",
      "false",
      "case(thread.kind == 'issue', 'a', 'b') == 'a'",
      "format('{0}/{1} {{}}', event.title, thread.number) == join(thread.labels, ', ')",
      "event.assignee.login == agents.assigned || agents.assigned == null",
      "thread.number >= 10 && startsWith(event.title, 'it''s')",
    ];
    for (const condition of conditions) expect(faultsOf(withIf(condition))).toEqual([]);
  });

  test("says nothing wrong in one file, and everything in several", () => {
    const loaded = load(
      { file: "b.yaml", text: withIf("thread.nope == 1") },
      { file: "a.yml", text: `name: Two\non: issue.opened\n${steps}` },
      { file: "c.yaml", text: withIf("true") },
      { file: "d.yaml", text: withIf("true") },
    );
    if (loaded.kind === "loaded") throw new Error("loaded");
    expect(loaded.faults.map(formatFault)).toEqual([
      "a.yml:1:1: the file's name does not end in .yaml; expected a name such as flow.yaml",
      "b.yaml:3:12: thread has no property nope for issue.assigned; expected one of number, kind, state, labels",
      'c.yaml:1:7: the name "Try" is taken by b.yaml; expected a name of its own',
      'd.yaml:1:7: the name "Try" is taken by b.yaml; expected a name of its own',
    ]);
  });

  test("finds all faults of a file at once", () => {
    const text = `name: ""
on:
  issue.assigned:
    bye: writer
  comment.created:
    by: reader
if: thread.stat == 'open'
step: 1
steps:
  - uses: comit
  - uses: dispatch
    with: { agent: boss, skill: implement }
  - uses: dispatch
    with: { agent: "\${{ agents.assigned }}", skill: implement }
    timeout: 3
`;
    expect(faultsOf(text).map((fault) => fault.replace(/; expected.*/, ""))).toEqual([
      'try.yaml:1:7: name is ""',
      'try.yaml:4:5: unknown key "bye"',
      'try.yaml:6:9: on.comment.created.by is "reader"',
      'try.yaml:8:1: unknown key "step"',
      'try.yaml:10:11: there is no op "comit"',
      'try.yaml:12:20: there is no agent "boss"',
      'try.yaml:15:5: unknown key "timeout"',
    ]);
    const rest = text.replace("bye: writer", "by: writer").replace("by: reader", "by: writer");
    expect(faultsOf(rest)).toContain(
      "try.yaml:7:12: thread has no property stat for issue.assigned; expected one of number, kind, state, labels",
    );
  });

  test("never throws, whatever the text is", () => {
    const words = fc.constantFrom(
      "name: a\n",
      "on: push\n",
      "on:\n",
      "  issue.opened: ",
      "{ by: writer }\n",
      steps,
      "\n",
    );
    const odd = fc.constantFrom(
      "__proto__: x\n",
      "? {a: b}\n: c\n",
      "&a ",
      "*a",
      "<<: {}\n",
      "if: ${{ ",
      "}}\n",
      "!x ",
      "\u0000",
    );
    const text = fc.array(fc.oneof(words, odd, fc.string({ unit: "binary" })), { maxLength: 12 });
    fc.assert(
      fc.property(text, (parts) => {
        const loaded = load({ file: "a.yaml", text: parts.join("") });
        if (loaded.kind === "loaded") return;
        for (const { line, column } of loaded.faults) expect(Math.min(line, column)).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});
