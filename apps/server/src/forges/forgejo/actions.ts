import { z } from "zod";
import type { Normalised } from "../../domain/forge.ts";
import type { ForgeId } from "../../domain/ids.ts";
import { noInterest, observed, orUnreadable, RepositoryName, repositoryRef } from "./reading.ts";
import { ForgejoRun } from "./schemas.ts";

/** Without a repository or sender of its own: both are the run's. */
const RunPayload = z.object({ run: ForgejoRun.extend({ repository: RepositoryName }) });

/** A run that was cancelled or skipped arrives as a failure; only its status tells. */
export function normaliseRun(payload: unknown, forge: ForgeId): Normalised {
  return orUnreadable(RunPayload, payload, ({ run }) => {
    if (run.status !== "success" && run.status !== "failure")
      return noInterest(`the run ended as "${run.status.slice(0, 60)}": it says nothing about the commit`);
    return observed({
      repository: repositoryRef(forge, run.repository),
      actor: run.trigger_user,
      kind: "ci",
      outcome: run.status,
      runId: run.id,
      headSha: run.commit_sha,
      branch: branchOf(run),
      name: run.workflow_id,
      finishedAt: run.stopped,
    });
  });
}

const TriggeringPull = z.object({ pull_request: z.object({ head: z.object({ ref: z.string() }) }) });

/** `prettyref` of a run for a pull request is `#13`; the branch stands only in the JSON text of the event that began it. */
function branchOf({ prettyref, event_payload }: ForgejoRun): string {
  if (!prettyref.startsWith("#")) return prettyref;
  const pull = TriggeringPull.safeParse(parsed(event_payload ?? ""));
  return pull.data?.pull_request.head.ref ?? `refs/pull/${prettyref.slice(1)}/head`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
