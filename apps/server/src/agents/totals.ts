import type { SessionTotals } from "../domain/session.ts";

const nothing: SessionTotals = { costUsd: 0, inputTokens: 0, outputTokens: 0 };

/**
 * What one run adds: a resumed session counts on from what its transcript saved (measured with SDK 0.3.330). Totals that
 * went down were not saved, so they are of this run alone.
 */
export function spentSince(before: SessionTotals | null, after: SessionTotals | null): SessionTotals {
  if (after === null) return nothing;
  if (before === null || after.costUsd < before.costUsd || after.inputTokens < before.inputTokens) return after;
  return {
    costUsd: after.costUsd - before.costUsd,
    inputTokens: after.inputTokens - before.inputTokens,
    outputTokens: Math.max(0, after.outputTokens - before.outputTokens),
  };
}
