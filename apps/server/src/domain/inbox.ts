import type { ForgeEvent } from "./event.ts";
import type { InlineComment } from "./review.ts";
import type { Tier } from "./tier.ts";

/** An event as an agent is told of it. */
export interface InboxEntry {
  event: ForgeEvent;
  /** Of whoever did it, as the forge answered when the event was decided. */
  tier: Tier;
  /** Of a review: what it says on lines; null where it could not be read. */
  inline?: readonly InlineComment[] | null;
}
