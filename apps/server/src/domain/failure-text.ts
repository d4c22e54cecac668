import type { RunFailure } from "./run.ts";

const minutes = (ms: number): string =>
  ms < 120_000 ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`;

/** A failure as a person reads it: what happened, and what to do where something can be done. */
export function failureText(failure: RunFailure): string {
  switch (failure.kind) {
    case "cancelled":
      return `it was called off: ${failure.detail}`;
    case "internal-error":
      return `the service met an unexpected error, which its log has whole: ${failure.detail}`;
    case "interrupted":
      return `it was interrupted: ${failure.detail}`;
    case "clone-failed":
      return `the checkout could not be made: ${failure.detail}`;
    case "repository-refused":
      return `the repository holds objects that git takes for an attack, so it is not fetched (git fsck names them): ${failure.detail}`;
    case "setup-failed":
      return `the repository's \`setup\` command failed: ${failure.detail}`;
    case "jail-failed":
      return `the jail could not be started: ${failure.detail}`;
    case "agent-crashed":
      return `the agent's process ended before its work did: ${failure.detail}`;
    case "agent-timeout":
      return `the agent was still working after ${minutes(failure.afterMs)}, its deadline (\`deadline_ms\`)`;
    case "agent-stalled":
      return `the agent said nothing for ${minutes(failure.afterMs)} (\`stall_ms\`)`;
    case "agent-error":
      return `the agent ended with an error: ${failure.detail}`;
    case "turn-limit":
      return `the agent reached its limit of turns (\`max_turns\`): ${failure.detail}`;
    case "model-unauthorized":
      return `${failure.detail} Set a valid \`model.api_key\` or \`model.oauth_token\` and restart the service`;
    case "model-limited":
      return `the model's account has reached a limit: ${failure.detail}${failure.untilMs === null ? "" : ` (until ${new Date(failure.untilMs).toISOString()})`}`;
    case "model-unavailable":
      return `the model could not be reached: ${failure.detail}`;
    case "model-refused":
      return `the model refused the request: ${failure.detail}`;
    case "no-change":
      return `the agent finished without a commit: ${failure.detail}`;
    case "publish-refused":
      return `the agent's branch was not published: ${failure.detail}`;
    case "push-failed":
      return `the branch could not be pushed: ${failure.detail}`;
    case "branch-moved":
      return failure.detail;
    case "forge-failed":
      return `the forge did not do what was asked: ${failure.detail}`;
    case "pull-request-not-opened":
      return `the branch was pushed, but its pull request was not opened: ${failure.detail}`;
    default:
      return failure satisfies never;
  }
}
