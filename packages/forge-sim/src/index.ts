import { Forge } from "./forge.ts";
import type { ForgeOptions } from "./options.ts";

/** Starts a Forgejo to develop and test against, on loopback, with state of its own. */
export async function startForge(options: ForgeOptions = {}): Promise<Forge> {
  return Forge.start(options);
}

export type { ApiBranch } from "./api/branches.ts";
export { type Actor, type CommitRequest, ForgeRequestError, type RepoName, type ReviewRemark } from "./client.ts";
export type { ApiCommit } from "./convert/commit.ts";
export type { ApiCombinedStatus, ApiHook, ApiStatus } from "./convert/hook.ts";
export type { ApiComment, ApiIssue, ApiLabel, ApiReaction } from "./convert/issue.ts";
export type { ApiChangedFile, ApiPullRequest } from "./convert/pull.ts";
export type { ApiRepository } from "./convert/repo.ts";
export type { ApiReview, ApiReviewComment } from "./convert/review.ts";
export type { ApiUser } from "./convert/user.ts";
export type { DeliveryMatch, Fault, Faults, Hold, RequestMatch } from "./faults.ts";
export type { Forge, TokenOptions } from "./forge.ts";
export type { AccessName, FileContent, ForgeOptions, LabelOption, RepoOption, UserOption } from "./options.ts";
export type { RecordedRequest } from "./server.ts";
export type { Scope } from "./state/scopes.ts";
export type { Delivery } from "./webhooks/deliveries.ts";
export type { EventType } from "./webhooks/events.ts";
