import type { Client } from "../client.ts";
import type { Story } from "./story.ts";
import type { Watch } from "./watch.ts";
import type { World } from "./world.ts";

/** What every part of the story needs. */
export interface Stage {
  world: World;
  api: Pick<Client, "get" | "stream">;
  story: Story;
  watch: Watch;
}
