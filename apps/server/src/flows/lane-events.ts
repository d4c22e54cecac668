import type { EventKind, ForgeEvent } from "../domain/event.ts";
import type { Decision, MatchFacts } from "../domain/flow.ts";
import type { Lane, LaneStatus } from "../domain/lane.ts";
import { type Tier, tierOf } from "../domain/tier.ts";
import type { KnownFacts } from "./match.ts";

/** What the agents of a thread are told of, whether or not it starts anything. */
const toldKinds: ReadonlySet<EventKind> = new Set([
  "comment.created",
  "comment.edited",
  "comment.deleted",
  "review.submitted",
  "issue.edited",
  "pull_request.edited",
  "pull_request.synchronized",
  "push",
  "ci.completed",
]);

/** The lanes whose agents are to be told of an event; our own users' doings are news to nobody. */
export function lanesToTell(event: ForgeEvent, known: KnownFacts, lanes: readonly Lane[]): readonly Lane[] {
  if (!toldKinds.has(event.kind)) return [];
  // CI runs in the name of whoever pushed, which mostly is the agent itself.
  if (known.actorIsOurs && event.kind !== "ci.completed") return [];
  // New commits of our own pull request come as a push to its branch, too.
  if (event.kind === "pull_request.synchronized" && known.thread?.kind !== "pull_request") return [];
  return lanes;
}

const saidKinds: ReadonlySet<EventKind> = new Set(["comment.created", "review.submitted"]);

/** What is said without naming the agent can wait for more of the same; everything else starts at once. */
export const canGather = (
  event: ForgeEvent,
  { mentionedAgents }: Pick<MatchFacts, "mentionedAgents">,
  agentType: string,
) => saidKinds.has(event.kind) && !mentionedAgents.includes(agentType);

const followUpSkill = "follow-up";

/**
 * For the ledger: an event that no flow made anything of, and that an agent is told of all the same. What somebody with
 * write access says while the agent works is told to it at once; a task stands by in case that the agent ends first.
 */
export function laneDecisions(event: ForgeEvent, facts: MatchFacts, statuses: readonly LaneStatus[]): Decision[] {
  const tier = tierOf(facts.actorPermission);
  return statuses.map((status) => decisionOf(event, tier, status));
}

function decisionOf(event: ForgeEvent, tier: Tier, { agentType, run }: LaneStatus): Decision {
  const from = `${event.actor.login} (${tier})`;
  const saw = { "actor.login": event.actor.login, tier, run };
  const flow = `inbox of ${agentType}`;
  if (run !== "working" || !saidKinds.has(event.kind) || tier === "outsider")
    return {
      flow,
      matched: false,
      why: `it starts nothing; ${agentType} is told of it with what comes next, as from ${from}`,
      saw,
    };
  const why = `${agentType} is at work, and is told of it at once, as from ${from}; if its run ends first, in the next one`;
  return { flow, matched: true, why, saw, dispatches: [{ agentType, skill: followUpSkill }] };
}
