import type { OpenTestDatabase } from "../../../../../../tests/support/databases.ts";
import { type ManualClock, manualClock } from "../../clock.ts";
import type { Database } from "../handle.ts";
import { createSessionStore, type SessionStore } from "../sessions.ts";
import { maxAgeMs } from "./session-model.ts";

/** A session store on a database of its own, with a clock that moves only when told to. */
export interface Bench extends AsyncDisposable {
  db: Database;
  clock: ManualClock;
  store: SessionStore;
}

export async function openBench(open: OpenTestDatabase): Promise<Bench> {
  const clock = manualClock();
  const db = await open({ clock });
  const store = createSessionStore(db, { maxAgeMs });
  return { db, clock, store, [Symbol.asyncDispose]: () => db.close() };
}
