import { describe, expect, test } from "bun:test";
import type { ForgeEvent } from "../domain/event.ts";
import type { MatchFacts } from "../domain/flow.ts";
import { decide, neededFacts } from "./decide.ts";
import type { Flow } from "./flow.ts";
import { comment, devBot, event, eventOfKind, facts, snapshot } from "./testing/events.ts";
import { flow, flowsOf } from "./testing/flows.ts";

const assigned = event({ kind: "issue.assigned", subject: snapshot(), assignee: devBot });
const mention = event({ kind: "comment.created", subject: snapshot(), comment: comment({ body: "@dev-bot please" }) });

const only = (happening: ForgeEvent, known: MatchFacts, flows: readonly Flow[]) => {
  const [decision] = decide(happening, known, flows);
  if (decision === undefined) throw new Error("no decision");
  return decision;
};

describe("the shipped flows", () => {
  const of = (name: string) => flowsOf().filter((one) => one.name === name);
  const implement = of("Implement an assigned issue");
  const answer = of("Answer a mention");
  const closed: MatchFacts["thread"] = { number: 7, kind: "issue", state: "closed", labels: [] };

  test("an issue assigned to an agent's user by a writer is implemented by that agent", () => {
    expect(only(assigned, facts({ assignedAgent: "dev" }), implement)).toEqual({
      flow: "Implement an assigned issue",
      matched: true,
      why:
        "dev-bot is the user of the agent dev; the condition `thread.state == 'open'` holds; " +
        "alice has write access to acme/widgets; dev is to do implement",
      saw: {
        "event.assignee.login": "dev-bot",
        "agents.assigned": "dev",
        "thread.state": "open",
        "actor.login": "alice",
        "actor.permission": "write",
      },
      dispatches: [{ agentType: "dev", skill: "implement" }],
    });
  });

  test("a writer's mention is taken up by every agent that is mentioned", () => {
    const decision = only(mention, facts({ mentionedAgents: ["dev", "reviewer"], actorPermission: "admin" }), answer);
    expect(decision).toMatchObject({
      matched: true,
      dispatches: [
        { agentType: "dev", skill: "follow-up" },
        { agentType: "reviewer", skill: "follow-up" },
      ],
    });
    expect(decision.why).toContain("dev and reviewer are mentioned");
  });

  const refused: Record<string, [ForgeEvent, Partial<MatchFacts>, readonly Flow[], why: string]> = {
    "another event": [mention, {}, implement, "it starts on issue.assigned, not on comment.created"],
    "a person is assigned": [assigned, {}, implement, "dev-bot is not the user of an agent"],
    "nobody is mentioned": [mention, {}, answer, "no agent is mentioned outside quotes and code"],
    "a reader": [
      mention,
      { mentionedAgents: ["dev"], actorPermission: "read" },
      answer,
      "alice has read access to acme/widgets; write is needed",
    ],
    "a stranger": [
      assigned,
      { assignedAgent: "dev", actorPermission: "none" },
      implement,
      "alice has no access to acme/widgets; write is needed",
    ],
    "the forge did not answer": [
      mention,
      { mentionedAgents: ["dev"], actorPermission: null, permissionError: "the forge answered 502" },
      answer,
      "the permission of alice could not be asked: the forge answered 502",
    ],
    "an error beside a permission": [
      mention,
      { mentionedAgents: ["dev"], actorPermission: "admin", permissionError: "stale" },
      answer,
      "the permission of alice could not be asked: stale",
    ],
    "nobody asked": [
      mention,
      { mentionedAgents: ["dev"], actorPermission: null },
      answer,
      "the permission of alice could not be asked: nobody asked for it",
    ],
    "one of our own users": [
      event({ kind: "comment.created", subject: snapshot(), comment: comment() }, { actor: devBot }),
      { mentionedAgents: ["reviewer"], actorPermission: "admin", actorIsOurs: true },
      answer,
      "dev-bot is one of our own users, whose doings start no flow",
    ],
    "a closed issue": [
      assigned,
      { assignedAgent: "dev", thread: closed },
      implement,
      "the condition `thread.state == 'open'` does not hold: thread.state is \"closed\"",
    ],
    "a closed thread": [
      mention,
      { mentionedAgents: ["dev"], thread: closed },
      answer,
      "the condition `thread.state == 'open' && thread.kind == 'issue'` does not hold: thread.kind is \"issue\", thread.state is \"closed\"",
    ],
    "an unknown thread": [
      assigned,
      { assignedAgent: "dev", thread: null },
      implement,
      "the event's issue or pull request is not known here yet",
    ],
    "an agent that is not configured": [
      assigned,
      { assignedAgent: "ghost" },
      implement,
      'step implement does nothing: "ghost" is no agent\'s name',
    ],
  };
  for (const [name, [happening, change, flows, why]] of Object.entries(refused))
    test(`no run: ${name}`, () => {
      expect(only(happening, facts(change), flows)).toMatchObject({ matched: false, why });
    });
});

describe("filters", () => {
  const thread = { number: 7, kind: "issue", state: "open", labels: ["bug"] } as const;
  const table: [on: string, Partial<MatchFacts>, why: string | null][] = [
    ["{ issue.assigned: { by: maintainer } }", { actorPermission: "admin" }, null],
    ["{ issue.assigned: { by: maintainer } }", {}, "alice has write access to acme/widgets; admin is needed"],
    ["{ issue.assigned: { repositories: [Acme/Widgets, a/b] } }", {}, null],
    ["{ issue.assigned: { repositories: [a/b, a/c] } }", {}, "it is for a/b or a/c, not for acme/widgets"],
    ["{ issue.assigned: { labels: [bug, ready] } }", { thread: { ...thread, labels: ["bug"] } }, null],
    [
      "{ issue.assigned: { labels: [Bug] } }",
      { thread: { ...thread, labels: ["bug"] } },
      "the thread does not have the label Bug",
    ],
    ["{ issue.assigned: { labels: [a, b] } }", {}, "the thread does not have any of the labels a or b"],
    ["[issue.opened, issue.closed]", {}, "it starts on issue.opened or issue.closed, not on issue.assigned"],
  ];
  for (const [on, change, why] of table)
    test(`${on} ${why ?? "matches"}`, () => {
      const decision = only(assigned, facts(change), flow(on));
      expect(decision.matched).toBe(why === null);
      if (why !== null) expect(decision.why).toBe(why);
    });
});

describe("conditions", () => {
  const unlabeled = facts();
  const table: [condition: string, ForgeEvent, MatchFacts, holds: boolean][] = [
    [
      "contains(thread.labels, 'bug')",
      assigned,
      facts({ thread: { number: 1, kind: "issue", state: "open", labels: ["BUG"] } }),
      true,
    ],
    ["${{ !contains(thread.labels, 'bug') }}", assigned, unlabeled, true],
    ["event.assignee.login == 'DEV-bot'", assigned, unlabeled, true],
    ["thread.labels[0] == null", assigned, unlabeled, true],
    ["agents.assigned != 'dev'", assigned, unlabeled, true],
    ["actor.permission != 'admin'", assigned, unlabeled, true],
    ["actor.permission == 'admin'", assigned, unlabeled, false],
    [
      "event.title == '${'",
      event({ kind: "issue.assigned", subject: snapshot({ title: "${" }), assignee: devBot }),
      unlabeled,
      true,
    ],
    ["false", assigned, unlabeled, false],
  ];
  for (const [condition, happening, known, holds] of table)
    test(condition, () => {
      expect(only(happening, known, flow("issue.assigned", condition)).matched).toBe(holds);
    });

  test("one that asks for more than `by` does not hold where the permission is not known", () => {
    const decision = only(
      assigned,
      facts({ actorPermission: null, permissionError: "down" }),
      flow("issue.assigned", "actor.permission != 'admin'"),
    );
    expect(decision).toMatchObject({ matched: false, why: "the permission of alice could not be asked: down" });
  });

  test("the ledger gets the beginning of a long text, and its length", () => {
    const long = event({ kind: "issue.opened", subject: snapshot({ body: "x".repeat(5_000) }) });
    const decision = only(long, facts(), flow("issue.opened", "contains(event.body, 'y')"));
    expect(decision.saw["event.body"]).toBe(`${"x".repeat(200)}… (5000 characters)`);
    expect(decision.why.length).toBeLessThan(400);
  });

  test("expressions inside people's text are never evaluated", () => {
    const text = "${{ agents.mentioned }} ${{ 'x' == 'x' }} ${{ fromJSON('[1]') }}";
    const hostile = eventOfKind("comment.created", text);
    const equal = only(hostile, facts(), flow("comment.created", `event.comment.body == event.title`));
    expect(equal).toMatchObject({ matched: true, saw: { "event.comment.body": text } });
    const shown = only(hostile, facts(), flow("comment.created", "contains(format('{0}', event.title), 'true')"));
    expect(shown.matched).toBe(false);
  });

  test("a step that names nobody is no match, and says so", () => {
    const decision = only(assigned, facts(), flow("issue.assigned", "true", "${{ agents.assigned }}"));
    expect(decision).toMatchObject({ matched: false, why: "step 1 does nothing: `agents.assigned` names no agent" });
  });

  test("two steps that want the same work give it once", () => {
    const step = "{ uses: dispatch, with: { agent: dev, skill: implement } }";
    const decision = only(assigned, facts(), flowsOf(`name: a\non: issue.assigned\nsteps: [${step}, ${step}]`));
    expect(decision).toMatchObject({ dispatches: [{ agentType: "dev", skill: "implement" }] });
  });
});

describe("facts", () => {
  const { actorPermission: _, permissionError: __, ...known } = facts();

  test("the permission is asked for only where everything else holds", () => {
    const flows = flowsOf();
    const asks = (happening: ForgeEvent, change: Partial<typeof known>) =>
      neededFacts(happening, { ...known, ...change }, flows).actorPermission;
    expect(asks(mention, { mentionedAgents: ["dev"] })).toBe(true);
    expect(asks(assigned, { assignedAgent: "dev" })).toBe(true);
    expect(asks(mention, {})).toBe(false);
    expect(asks(mention, { mentionedAgents: ["dev"], actorIsOurs: true })).toBe(false);
    expect(asks(eventOfKind("issue.opened"), { mentionedAgents: ["dev"] })).toBe(false);
    const closed: MatchFacts["thread"] = { number: 7, kind: "issue", state: "closed", labels: [] };
    expect(asks(mention, { mentionedAgents: ["dev"], thread: closed })).toBe(false);
  });

  test("a condition on the permission does not keep it from being asked", () => {
    const flows = flow("issue.assigned", "actor.permission == 'admin'");
    expect(neededFacts(assigned, known, flows)).toEqual({ actorPermission: true });
  });
});
