import type { ForgeEvent } from "../domain/event.ts";
import type { MatchFacts } from "../domain/flow.ts";
import type { Thread } from "../domain/thread.ts";
import type { ForgeUsers } from "./forges.ts";

type KnownFacts = Omit<MatchFacts, "actorPermission" | "permissionError" | "involvedAgents">;

/** What flows match on and nobody has to be asked for. `mentions` gives the logins that a markdown text mentions. */
export function knownFacts(
  event: ForgeEvent,
  thread: Thread | null,
  users: ForgeUsers,
  mentions: (markdown: string) => readonly string[],
): KnownFacts {
  const { forge } = event.repository;
  const agent = (login: string) => users.agentOf(forge, login);
  const mentioned = mentions(textOf(event)).flatMap((login) => agent(login) ?? []);
  return {
    actorIsOurs: users.isOurs(forge, event.actor.login),
    mentionedAgents: [...new Set(mentioned)],
    assignedAgent: "assignee" in event ? agent(event.assignee.login) : null,
    thread:
      thread === null || !("subject" in event)
        ? null
        : { number: thread.number, kind: thread.kind, state: event.subject.state, labels: event.subject.labels },
  };
}

function textOf(event: ForgeEvent): string {
  if ("comment" in event) return event.comment.body;
  if (event.kind === "review.submitted") return event.body;
  if (event.kind === "issue.opened" || event.kind === "pull_request.opened") return event.subject.body;
  return "";
}
