import type { UpdateResult } from "kysely";

/** Whether a guarded statement met its row: false means that another one was first, or that the row is in another state. */
export const changed = (result: UpdateResult): boolean => result.numUpdatedRows > 0n;

/** How many rows a page has where nobody says. */
export const defaultPage = 50;

export interface Page<Id extends string> {
  /** Only what is older than this one. */
  before?: Id;
  limit?: number;
}
