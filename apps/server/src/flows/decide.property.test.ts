import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decide, neededFacts } from "./decide.ts";
import { anyEvent, anyFacts } from "./testing/events.ts";
import { flow, flowsOf } from "./testing/flows.ts";

describe("for any event and facts", () => {
  const flows = [
    ...flowsOf(),
    ...flow("[issue.opened, comment.created]", "contains(event.body, 'a') || actor.permission != 'read'"),
    ...flow("{ issue.labeled: { labels: [dev], by: maintainer } }", "format('{0}', event.label) != 'x'"),
  ];

  test("there is one decision for each flow, always the same, and it never throws", () => {
    fc.assert(
      fc.property(anyEvent, anyFacts, (happening, known) => {
        const decisions = decide(happening, known, flows);
        expect(decisions.map((one) => one.flow)).toEqual(flows.map(({ name }) => name));
        expect(JSON.stringify(decide(structuredClone(happening), structuredClone(known), flows))).toBe(
          JSON.stringify(decisions),
        );
        for (const decision of decisions) expect(decision.why).not.toBe("");
      }),
      { numRuns: 500 },
    );
  });

  test("nothing starts without write access, nothing by our own users, and nothing for an agent that does not exist", () => {
    fc.assert(
      fc.property(anyEvent, anyFacts, (happening, known) => {
        for (const decision of decide(happening, known, flows)) {
          if (!decision.matched) continue;
          expect(["write", "admin"]).toContain(known.actorPermission ?? "none");
          expect(known.permissionError).toBeNull();
          expect(known.actorIsOurs).toBe(false);
          for (const { agentType } of decision.dispatches) expect(["dev", "reviewer"]).toContain(agentType);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("what is not asked for changes no decision", () => {
    fc.assert(
      fc.property(anyEvent, anyFacts, (happening, known) => {
        if (neededFacts(happening, known, flows).actorPermission) return;
        const other = { ...known, actorPermission: null, permissionError: null };
        expect(decide(happening, other, flows)).toEqual(decide(happening, known, flows));
      }),
      { numRuns: 500 },
    );
  });
});
