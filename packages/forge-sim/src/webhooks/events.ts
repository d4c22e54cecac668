/** Every kind that a hook can subscribe to, in the order in which the API lists them. */
export const eventTypes = [
  "create",
  "delete",
  "fork",
  "push",
  "issues",
  "issue_assign",
  "issue_label",
  "issue_milestone",
  "issue_comment",
  "pull_request",
  "pull_request_assign",
  "pull_request_label",
  "pull_request_milestone",
  "pull_request_comment",
  "pull_request_review_approved",
  "pull_request_review_rejected",
  "pull_request_review_comment",
  "pull_request_sync",
  "wiki",
  "repository",
  "release",
  "package",
  "pull_request_review_request",
  "action_run_failure",
  "action_run_recover",
  "action_run_success",
] as const;
export type EventType = (typeof eventTypes)[number];

const reviews: readonly string[] = [
  "pull_request_review_approved",
  "pull_request_review_rejected",
  "pull_request_review_comment",
];

/**
 * What a hook hears when made with these names: `issues` and `pull_request` stand for their whole family
 * (`issues_only` and `pull_request_only` for the one kind), `pull_request_review` for the three reviews,
 * an unknown name for nothing, none at all for `push`. As in Forgejo's `addHook`.
 */
export function subscribe(names: readonly string[]): Set<EventType> {
  const wanted = new Set(names.length === 0 ? ["push"] : names);
  return new Set(eventTypes.filter((type) => hears(wanted, type)));
}

function hears(wanted: ReadonlySet<string>, type: EventType): boolean {
  if (type.startsWith("issue") && wanted.has("issues")) return true;
  if (type.startsWith("pull_request") && wanted.has("pull_request")) return true;
  if (type === "issues") return wanted.has("issues_only");
  if (type === "pull_request") return wanted.has("pull_request_only");
  if (reviews.includes(type)) return wanted.has("pull_request_review");
  return wanted.has(type);
}

/** The coarser name, in `X-Forgejo-Event`. */
export function eventOf(type: EventType): string {
  if (type === "issue_comment" || type === "pull_request_comment") return "issue_comment";
  if (type.startsWith("issue")) return "issues";
  if (reviews.includes(type)) return type.replace("_review", "");
  return type.startsWith("pull_request") ? "pull_request" : type;
}
