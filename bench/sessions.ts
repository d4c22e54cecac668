import type { Database } from "../apps/server/src/infrastructure/database/handle.ts";

/** Fills the store with sessions used just now, the first `stale` of them two days ago. */
export async function fillSessions(db: Database, { count, stale }: { count: number; stale: number }): Promise<void> {
  const now = db.clock.now();
  const twoDays = 2 * 86_400_000;
  await db.transaction(async (tx) => {
    for (let start = 0; start < count; start += 1_000) {
      const rows = Array.from({ length: Math.min(1_000, count - start) }, (_, index) => {
        const usedAt = start + index < stale ? now - twoDays : now;
        return {
          lane: `dev:thread-${start + index}`,
          session_id: crypto.randomUUID(),
          last_used_at: usedAt,
          aged_from: usedAt,
          paused_age_ms: null,
          totals: null,
          archived_at: null,
        };
      });
      await tx.kysely.insertInto("sessions").values(rows).execute();
    }
  });
}
