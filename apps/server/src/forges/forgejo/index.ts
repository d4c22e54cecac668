import { z } from "zod";
import type { ForgeFactory } from "../factory.ts";
import { connectForgejo } from "./client.ts";
import { normaliseForgejo } from "./normalise.ts";

const Named = z.object({ id: z.int() });
const AtTop = z.object({ repository: Named });
/** `action_run_*` has its repository in the run. */
const InRun = z.object({ run: z.object({ repository: Named }) });

export const forgejo: ForgeFactory = {
  connect: connectForgejo,
  normalise: normaliseForgejo,
  payloadRepositoryIds: (payload) =>
    [AtTop.safeParse(payload).data?.repository.id, InRun.safeParse(payload).data?.run.repository.id].filter(
      (id) => id !== undefined,
    ),
  headers: {
    id: ["x-forgejo-delivery", "x-gitea-delivery"],
    event: ["x-forgejo-event", "x-gitea-event"],
    eventType: ["x-forgejo-event-type", "x-gitea-event-type"],
    signature: [
      { header: "x-hub-signature-256", prefix: "sha256=" },
      { header: "x-forgejo-signature", prefix: "" },
      { header: "x-gitea-signature", prefix: "" },
    ],
  },
};
