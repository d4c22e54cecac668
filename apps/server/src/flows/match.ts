import type { ForgeEvent } from "../domain/event.ts";
import type { MatchFacts } from "../domain/flow.ts";
import { hasThread } from "./contexts.ts";
import type { Filters, Flow } from "./flow.ts";

/** What is known of an event without asking the forge for anything. */
export type KnownFacts = Omit<MatchFacts, "actorPermission" | "permissionError">;

/** A sentence on why it passed or not, and the values that were looked at. */
export interface Verdict {
  passed: boolean;
  /** Empty where there is nothing to say. */
  why: string;
  saw: Record<string, unknown>;
}

const pass = (why = "", saw: Record<string, unknown> = {}): Verdict => ({ passed: true, why, saw });
const refuse = (why: string, saw: Record<string, unknown> = {}): Verdict => ({ passed: false, why, saw });

type Check = (filters: Filters, event: ForgeEvent, facts: KnownFacts) => Verdict;

const checks: readonly Check[] = [repositories, thread, labels, assignee, mentions];

/** Every filter but `by`, in an order that gives the most telling reason first. */
export function matchFilters(flow: Flow, event: ForgeEvent, facts: KnownFacts): Verdict {
  if (facts.actorIsOurs)
    return refuse(`${event.actor.login} is one of our own users, whose doings start no flow`, {
      "actor.login": event.actor.login,
    });
  const filters = flow.on[event.kind];
  if (filters === undefined)
    return refuse(`it starts on ${listed(Object.keys(flow.on), "or")}, not on ${event.kind}`, {
      "event.kind": event.kind,
    });
  const verdicts: Verdict[] = [];
  for (const check of checks) {
    const verdict = check(filters, event, facts);
    verdicts.push(verdict);
    if (!verdict.passed) return { ...verdict, saw: sawOf(verdicts) };
  }
  const whys = verdicts.map(({ why }) => why).filter((why) => why !== "");
  return { passed: true, why: whys.join("; "), saw: sawOf(verdicts) };
}

const sawOf = (verdicts: readonly Verdict[]): Record<string, unknown> =>
  Object.assign({}, ...verdicts.map(({ saw }) => saw)) as Record<string, unknown>;

function repositories(filters: Filters, { repository }: ForgeEvent): Verdict {
  if (filters.repositories === null) return pass();
  const saw = { "event.repository": repository.name };
  if (filters.repositories.includes(repository.name.toLowerCase())) return pass("", saw);
  return refuse(`it is for ${listed(filters.repositories, "or")}, not for ${repository.name}`, saw);
}

function thread(_filters: Filters, event: ForgeEvent, facts: KnownFacts): Verdict {
  if (!hasThread(event.kind) || facts.thread !== null) return pass();
  return refuse("the event's issue or pull request is not known here yet", { thread: null });
}

function labels(filters: Filters, _event: ForgeEvent, facts: KnownFacts): Verdict {
  if (filters.labels === null) return pass();
  const present = facts.thread?.labels ?? [];
  const saw = { "thread.labels": present };
  if (filters.labels.some((label) => present.includes(label))) return pass("", saw);
  const wanted = filters.labels.length === 1 ? "the label" : "any of the labels";
  return refuse(`the thread does not have ${wanted} ${listed(filters.labels, "or")}`, saw);
}

function assignee(filters: Filters, event: ForgeEvent, { assignedAgent }: KnownFacts): Verdict {
  if (filters.assignee === null) return pass();
  const login = "assignee" in event ? event.assignee.login : "nobody";
  const saw = { "event.assignee.login": login, "agents.assigned": assignedAgent };
  if (assignedAgent === null) return refuse(`${login} is not the user of an agent`, saw);
  return pass(`${login} is the user of the agent ${assignedAgent}`, saw);
}

function mentions(filters: Filters, _event: ForgeEvent, { mentionedAgents }: KnownFacts): Verdict {
  if (filters.mentions === null) return pass();
  const saw = { "agents.mentioned": mentionedAgents };
  if (mentionedAgents.length === 0) return refuse("no agent is mentioned outside quotes and code", saw);
  return pass(`${listed(mentionedAgents, "and")} ${mentionedAgents.length === 1 ? "is" : "are"} mentioned`, saw);
}

const needed = { writer: "write", maintainer: "admin" } as const;

/** The filter `by`: closed where the permission was not asked or could not be. */
export function matchPermission({ by }: Filters, { actor, repository }: ForgeEvent, facts: MatchFacts): Verdict {
  const permission = facts.actorPermission;
  const saw = { "actor.login": actor.login, "actor.permission": permission };
  if (facts.permissionError !== null || permission === null)
    return refuse(
      `the permission of ${actor.login} could not be asked: ${facts.permissionError ?? "nobody asked for it"}`,
      saw,
    );
  const said = `${actor.login} has ${permission === "none" ? "no" : permission} access to ${repository.name}`;
  const enough = permission === "admin" || (by === "writer" && permission === "write");
  return enough ? pass(said, saw) : refuse(`${said}; ${needed[by]} is needed`, saw);
}

/** `a, b or c` */
function listed(items: readonly string[], word: "and" | "or"): string {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(", ")} ${word} ${items.at(-1)}`;
}
