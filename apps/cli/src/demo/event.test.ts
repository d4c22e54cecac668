import { expect, test } from "bun:test";
import type { ExplainedEvent, Explanation } from "@claude-hooks/api";
import type { Delivery } from "@claude-hooks/forge-sim";
import { ClientError } from "../client.ts";
import { tellEvent } from "./event.ts";
import { Story } from "./story.ts";
import { Watch } from "./watch.ts";

const delivery = (uuid: string, more: Partial<Delivery> = {}): Delivery => ({
  hookId: 1,
  uuid,
  repository: "kitchen/recipe-links",
  event: "issues",
  eventType: "issues",
  action: "opened",
  url: "",
  body: new Uint8Array(),
  headers: {},
  state: "delivered",
  status: 202,
  error: undefined,
  replayOf: undefined,
  ...more,
});

type Decisions = ExplainedEvent["decisions"];
const decision = (flow: string, matched: boolean, why: string) => ({ flow, matched, why, saw: {} });

function explanation(uuid: string, state: string, decisions: Decisions | null, reason: string | null = null) {
  const event: ExplainedEvent = {
    id: "e",
    kind: "issue.assigned",
    semantic_key: uuid,
    thread: "kitchen/recipe-links#1",
    actor: "cook",
    received_at: 0,
    delivery: uuid,
    decided: decisions !== null,
    decisions: decisions ?? [],
  };
  return {
    subject: uuid,
    deliveries: [{ id: uuid, uuid, event: "issues", received_at: 0, state, reason }],
    events: state === "normalised" ? [event] : [],
    runs: [],
  } satisfies Explanation;
}

/** Each delivery's explanations, one for each time that it is asked; the last one stays. */
async function told(deliveries: Delivery[], answers: Record<string, (Explanation | undefined)[]>): Promise<string> {
  let text = "";
  const api = {
    async get(path: string): Promise<never> {
      const left = answers[path.replace("/explain?subject=", "")] ?? [];
      const answer = left.length > 1 ? left.shift() : left[0];
      if (answer === undefined) throw new ClientError("nothing on record");
      return answer as never;
    },
  };
  const story = new Story({ write: (more) => void (text += more), colours: false, width: 200 }, () => 0);
  const watch = new Watch(5_000, new AbortController().signal);
  const stage = { story, watch, api, world: { forge: { deliveries: () => deliveries } } };
  await tellEvent(stage, 0).catch((error: unknown) => void (text += `failed: ${(error as Error).message}\n`));
  return text.replaceAll(/^ *0\.0 s {2}/gm, "");
}

test("the webhooks, the flow that matched, and the one that did not", async () => {
  const decisions = [
    decision("Answer", false, "it starts on comments"),
    decision("Implement", true, "dev is assigned"),
  ];
  const answers = {
    a: [undefined, explanation("a", "received", null), explanation("a", "normalised", decisions)],
    b: [explanation("b", "ignored", null, "no interest")],
  };
  const sent = [delivery("a", { eventType: "issue_assign", action: "assigned" }), delivery("b")];
  expect(await told(sent, answers)).toBe(
    [
      "webhook    issue_assign (assigned), signed → 202, stored",
      "webhook    issues (opened), signed → 202, stored",
      "flow       ✓ Implement: dev is assigned",
      "flow       ✗ Answer: it starts on comments",
      "",
    ].join("\n"),
  );
});

test("a webhook that the service refuses is the end", async () => {
  const refused = delivery("a", { state: "failed", status: 401 });
  expect(await told([refused], {})).toContain("failed: the service did not accept a webhook: answered 401");
  const unheard = delivery("a", { state: "failed", status: undefined, error: "connection refused" });
  expect(await told([unheard], {})).toContain("did not accept a webhook: connection refused");
});

test("where no flow takes it up, every reason is told at once", async () => {
  const answers = {
    a: [explanation("a", "normalised", [decision("Implement", false, "cook has read access")])],
    b: [explanation("b", "ignored", null, "no interest")],
  };
  expect(await told([delivery("a"), delivery("b")], answers)).toEndWith(
    [
      "failed: no flow took it up:",
      "  issue.assigned: Implement: cook has read access",
      "  issues: ignored: no interest",
      "",
    ].join("\n"),
  );
});
