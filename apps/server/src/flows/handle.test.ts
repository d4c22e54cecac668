import { describe, expect, test } from "bun:test";
import type { EventBody, ForgeEvent, Snapshot } from "../domain/event.ts";
import { ForgeError, type Permission } from "../domain/forge.ts";
import { type EventId, laneKey, type ThreadId } from "../domain/ids.ts";
import type { Lane, LaneStatus } from "../domain/lane.ts";
import { silentLog } from "../domain/log.ts";
import { type Decided, EventHandler } from "./handle.ts";
import { alice, comment, devBot, event, snapshot } from "./testing/events.ts";
import { flowsOf } from "./testing/flows.ts";

const thread = "thread-1" as ThreadId;
const dev: Lane = { key: laneKey("dev", thread), agentType: "dev", thread };

const said = (body: string, subject: Partial<Snapshot> = {}): EventBody => ({
  kind: "comment.created",
  subject: snapshot(subject),
  comment: comment({ body }),
});
const onPull = (body: string): EventBody => said(body, { kind: "pull_request", number: 8 });

interface Circumstances {
  permission?: Permission | "unknown";
  /** Of the lane `dev`; null: it never had work here. */
  status?: Partial<LaneStatus> | null;
  ours?: boolean;
  mentioned?: string[];
}

/** What is recorded of one event on the issue acme/widgets#7, and what was asked of the forge. */
async function handled(
  body: EventBody,
  { permission = "write", status = {}, ours = false, mentioned = [] }: Circumstances = {},
) {
  const one: ForgeEvent = event(body, { actor: ours ? devBot : alice });
  const recorded: Decided[] = [];
  let asked = 0;
  let left: ForgeEvent[] = [one];
  const handler = new EventHandler({
    log: silentLog,
    flows: () => flowsOf(),
    events: { get: async (_id: EventId) => null, undecided: async () => left.splice(0) },
    knownFacts: async (_event, involved) => ({
      actorIsOurs: ours,
      mentionedAgents: mentioned,
      assignedAgent: null,
      involvedAgents: [...involved],
      thread:
        "subject" in body
          ? { number: 7, kind: "issue" as const, state: body.subject.state, labels: body.subject.labels }
          : null,
    }),
    lanes: async () => (status === null ? [] : [dev]),
    status: async (lane) => ({ ...lane, run: null, waits: false, remembers: true, ...status }),
    permission: async () => {
      asked += 1;
      if (permission !== "unknown") return permission;
      throw new ForgeError("the forge is down", { kind: "unavailable", status: null, ambiguous: false });
    },
    record: async (decided) => void recorded.push(decided),
  });
  await handler.drain();
  left = [];
  const [decided] = recorded;
  if (decided === undefined) throw new Error("nothing was recorded");
  return {
    ...decided,
    asked,
    works: decided.dispatches.map(({ agentType, skill, gathers }): [string, string, boolean] => [
      agentType,
      skill,
      gathers,
    ]),
    why: Object.fromEntries(
      decided.decisions.map(({ flow, matched, why }) => [flow, `${matched ? "yes" : "no"}: ${why}`]),
    ),
  };
}

describe("what an agent of the thread hears", () => {
  const pull = snapshot({ kind: "pull_request", number: 8 });
  const push: EventBody = { kind: "push", branch: "dev/7", before: "a", after: "b" };
  const ci: EventBody = {
    kind: "ci.completed",
    outcome: "failure",
    runId: 1,
    headSha: "b",
    branch: "dev/7",
    name: "ci",
  };
  const table: [string, EventBody, Circumstances, boolean][] = [
    ["a comment", said("hello"), {}, true],
    ["an outsider's comment", said("hello"), { permission: "none" }, true],
    ["a comment of whom the forge cannot be asked", said("hello"), { permission: "unknown" }, true],
    ["a comment of one of our own users", said("hello"), { ours: true }, false],
    ["a changed comment", { kind: "comment.edited", subject: snapshot(), comment: comment() }, {}, true],
    ["a deleted comment", { kind: "comment.deleted", subject: snapshot(), comment: comment() }, {}, true],
    ["a review", { kind: "review.submitted", subject: pull, verdict: "approved", body: "" }, {}, true],
    ["a changed description", { kind: "issue.edited", subject: snapshot() }, {}, true],
    ["a push of somebody else to its branch", push, {}, true],
    ["its own push", push, { ours: true }, false],
    ["the same push as a pull request's new commits", { kind: "pull_request.synchronized", subject: pull }, {}, false],
    ["CI on its own push", ci, { ours: true }, true],
    ["a label", { kind: "issue.labeled", subject: snapshot(), label: "bug" }, {}, false],
    ["anything where it never had work", said("hello"), { status: null }, false],
  ];
  test.each(table)("%s", async (_, body, circumstances, hears) => {
    const { inboxes } = await handled(body, circumstances);
    expect(inboxes).toEqual(hears ? [dev.key] : []);
  });

  test("is said in the ledger, with how far its author is trusted", async () => {
    const { why, works } = await handled(said("hello"), { permission: "read" });
    expect(works).toEqual([]);
    expect(why["inbox of dev"]).toBe(
      "no: it starts nothing; dev is told of it with what comes next, as from alice (outsider)",
    );
  });

  test("costs no look-up where nobody is to hear of it", async () => {
    expect((await handled(said("hello"), { status: null })).asked).toBe(0);
    expect((await handled(said("hello"))).asked).toBe(1);
  });
});

describe("what starts", () => {
  const review: EventBody = {
    kind: "review.submitted",
    subject: snapshot({ kind: "pull_request", number: 8 }),
    verdict: "changes_requested",
    body: "no",
  };
  const working: Circumstances = { status: { run: "working" } };
  const table: [string, EventBody, Circumstances, [string, string, boolean][]][] = [
    ["a mention, at once", said("@dev"), { mentioned: ["dev"] }, [["dev", "follow-up", false]]],
    ["a comment on the pull request, gathered", onPull("and b"), {}, [["dev", "follow-up", true]]],
    ["a mention on the pull request, at once", onPull("@dev"), { mentioned: ["dev"] }, [["dev", "follow-up", false]]],
    [
      "a comment on it that mentions another agent, of that one only",
      onPull("@reviewer"),
      { mentioned: ["reviewer"] },
      [["reviewer", "follow-up", false]],
    ],
    ["an outsider's comment on the pull request, nothing", onPull("and b"), { permission: "read" }, []],
    ["a review that wants changes, gathered", review, {}, [["dev", "follow-up", true]]],
    ["an approval, nothing", { ...review, verdict: "approved" }, {}, []],
    ["a comment on the issue, nothing", said("hello"), {}, []],
    [
      "a comment on the issue while the agent works, a task that stands by",
      said("hello"),
      working,
      [["dev", "follow-up", true]],
    ],
    ["an outsider's comment while the agent works, nothing", said("hello"), { ...working, permission: "none" }, []],
    ["a comment while its work is published, nothing", said("hello"), { status: { run: "publishing" } }, []],
  ];
  test.each(table)("%s", async (_, body, circumstances, works) => {
    expect((await handled(body, circumstances)).works).toEqual(works);
  });
});

describe("a command", () => {
  const working: Circumstances = { status: { run: "working" } };

  test("/stop stops what works, and is told to nobody", async () => {
    const { acts, reaction, refusals, inboxes, works, why } = await handled(onPull("/stop"), working);
    expect(acts).toEqual([{ kind: "stop", lane: expect.objectContaining(dev), why: "alice stopped it with /stop" }]);
    expect({ reaction, refusals, inboxes, works }).toEqual({ reaction: "+1", refusals: [], inboxes: [], works: [] });
    expect(why["command /stop"]).toBe("yes: stopped: dev");
    expect(why["Answer a mention"]).toBe("no: the comment is a command and nothing else");
  });

  test("/stop with words starts nothing by them, and the agent hears them later", async () => {
    const { acts, inboxes, works, why } = await handled(onPull("/stop\nuntil Monday, @dev-bot"), {
      ...working,
      mentioned: ["dev"],
    });
    expect(acts).toHaveLength(1);
    expect({ inboxes, works }).toEqual({ inboxes: [dev.key], works: [] });
    expect(why["Answer a mention"]).toEndWith("not started, since the same comment stops the work");
  });

  test("/stop calls off what only waits", async () => {
    expect((await handled(said("/stop"), { status: { waits: true } })).acts).toHaveLength(1);
  });

  test("/reset drops what is remembered, and lets the rest of the comment start work", async () => {
    const { acts, reaction, works } = await handled(said("/reset\n@dev-bot again"), { mentioned: ["dev"] });
    expect(acts).toEqual([{ kind: "reset", lane: expect.objectContaining(dev), by: "alice" }]);
    expect({ reaction, works }).toEqual({ reaction: "+1", works: [["dev", "follow-up", false]] });
  });

  const refused: [string, string, Circumstances, string][] = [
    ["nothing to stop", "/stop", {}, "there is nothing to stop: no agent works on this, and none is about to"],
    [
      "too late to stop",
      "/stop",
      { status: { run: "publishing" } },
      "it is too late to stop dev: the work is done, and is being published",
    ],
    [
      "nothing to forget",
      "/reset",
      { status: { remembers: false } },
      "there is nothing to drop: dev remembers nothing of this",
    ],
    ["no agent here", "/stop", { status: null }, "no agent has worked on this"],
    ["another agent", "/stop boss", working, "no agent type of that name has worked on this; these have: dev"],
  ];
  test.each(refused)("is refused with a reason: %s", async (_, body, circumstances, reason) => {
    const { acts, reaction, refusals, why } = await handled(said(body), circumstances);
    const name = body.split(" ")[0];
    expect({ acts, reaction, refusals }).toEqual({
      acts: [],
      reaction: "confused",
      refusals: [`\`${name}\`: ${reason}`],
    });
    expect(why[`command ${name}`]).toBe(`no: refused: ${reason}`);
  });

  test.each([
    ["read", "alice may not command: write access is needed, and alice has read"],
    ["none", "alice may not command: write access is needed, and alice has none"],
    ["unknown", "alice may not command: the forge is down"],
  ] as const)(
    "of somebody with %s access does nothing, is not answered, and the ledger says why",
    async (permission, reason) => {
      const { acts, reaction, refusals, why } = await handled(said("/stop"), { ...working, permission });
      expect({ acts, reaction, refusals }).toEqual({ acts: [], reaction: null, refusals: [] });
      expect(why["command /stop"]).toBe(`no: ${reason}`);
    },
  );

  const none: [string, EventBody][] = [
    ["in a quote", said("> /stop")],
    ["in code", said("`/stop`")],
    ["that is edited in", { kind: "comment.edited", subject: snapshot(), comment: comment({ body: "/stop" }) }],
  ];
  test.each(none)("%s is none", async (_, body) => {
    const { acts, decisions } = await handled(body, working);
    expect(acts).toEqual([]);
    expect(decisions.filter(({ flow }) => flow.startsWith("command"))).toEqual([]);
  });

  test("of one of our own users is none", async () => {
    expect((await handled(said("/stop"), { ...working, ours: true })).acts).toEqual([]);
  });

  test("that does not exist is told of in the ledger only", async () => {
    const { reaction, refusals, why } = await handled(said("/sotp"), working);
    expect({ reaction, refusals }).toEqual({ reaction: null, refusals: [] });
    expect(why["command /sotp"]).toBe("no: there is no such command; these are: /stop, /reset");
  });
});
