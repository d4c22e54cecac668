import type { Faults } from "./faults.ts";
import type { MergeChecks } from "./merge-checks.ts";
import type { Store } from "./state/store.ts";
import type { Deliveries } from "./webhooks/deliveries.ts";

/** What every part of the simulator works on. */
export interface World {
  /** Without a slash at the end. */
  readonly url: string;
  readonly store: Store;
  readonly deliveries: Deliveries;
  readonly faults: Faults;
  readonly mergeChecks: MergeChecks;
  /** Runs the work on a repository's refs one after the other. */
  readonly locked: <T>(repoId: number, work: () => Promise<T>) => Promise<T>;
}
