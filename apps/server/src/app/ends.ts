import type { Config } from "../config/config.ts";
import type { ForgeEvent } from "../domain/event.ts";
import type { Handle } from "../infrastructure/database/handle.ts";
import { createLaneLife } from "../infrastructure/database/lane-life.ts";
import { createThreadStore } from "../infrastructure/database/threads.ts";
import { workChange } from "../runs/ends.ts";
import { lanesOf } from "./sweeper.ts";

/** Puts on record that a thread's work ended or goes on, where the event says so; true where it ended. */
export async function noteEnd(tx: Handle, config: Pick<Config, "agents">, event: ForgeEvent): Promise<boolean> {
  if (event.thread === null || !("subject" in event)) return false;
  const threads = createThreadStore(tx);
  const thread = await threads.get(event.thread);
  if (thread === null) return false;
  const newest = await threads.snapshot(thread.forge, thread.repositoryId, event.subject.number);
  const change = workChange(event, thread, newest);
  const lanes = lanesOf(config, thread.id);
  if (change === "goes-on") await createLaneLife(tx).reopen(thread.id, lanes);
  if (change === "ends") await createLaneLife(tx).archive(thread.id, lanes);
  return change === "ends";
}
