import { createGit } from "../../infrastructure/git.ts";
import type { RunGit } from "../ports.ts";
import { publish } from "../publish.ts";
import { World } from "./world.ts";

/** At which git command the service is killed: before it starts, or when it is done. */
export type Death = { command: "push" | "update-ref" | "index-pack" | "ls-remote"; when: "before" | "after" };

const git = createGit({ allowFileUrls: true });

/** Git that kills its own process, as hard as can be, at one command. */
const deadly =
  ({ command, when }: Death): RunGit =>
  async (args, options) => {
    const now = args.includes(command);
    if (now && when === "before") process.kill(process.pid, "SIGKILL");
    const result = await git(args, options);
    if (now && when === "after") process.kill(process.pid, "SIGKILL");
    return result;
  };

if (import.meta.main) {
  const [folder = "", base = "", death = ""] = process.argv.slice(2);
  const world = await World.again(folder, deadly(JSON.parse(death) as Death));
  await publish(world.runner, world.publishRequest({ base, forgeHead: null }));
}
