import { lchownSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inside } from "../jail/inside.ts";
import { giveToLane, type Lane } from "../jail/lanes.ts";

/** As the agent's environment names it, for the agent not to ask whether to use it. */
const placeholderKey = "held-by-the-broker";

/** What the agent asks a person at its first start: all of it was decided by the configuration. */
const settled = {
  hasCompletedOnboarding: true,
  theme: "dark",
  customApiKeyResponses: { approved: [placeholderKey.slice(-20)], rejected: [] },
  projects: { [inside.checkout]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } },
};

/** Into the configuration folder that a transcript was just laid out in: new, and nothing of the lane may run. */
export function answerFirstQuestions(lane: Lane): void {
  const path = join(lane.home, ".claude", ".claude.json");
  writeFileSync(path, JSON.stringify(settled), { mode: 0o600, flag: "wx" });
  giveToLane(lane, path, lchownSync);
}
