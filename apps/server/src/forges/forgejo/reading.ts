import { z } from "zod";
import type { Observation, RepositoryRef } from "../../domain/event.ts";
import type { Normalised } from "../../domain/forge.ts";
import type { ForgeId } from "../../domain/ids.ts";

export const RepositoryName = z.object({ id: z.int(), full_name: z.string() });

export const repositoryRef = (forge: ForgeId, { id, full_name }: z.infer<typeof RepositoryName>): RepositoryRef => ({
  forge,
  id,
  name: full_name,
});

export const observed = (observation: Observation): Normalised => ({ kind: "observation", observation });
export const noInterest = (reason: string): Normalised => ({ kind: "no-interest", reason });
export const unknownAction = (action: string): Normalised =>
  noInterest(`its action "${action.slice(0, 60)}" is not followed`);

export function orUnreadable<T>(schema: z.ZodType<T>, payload: unknown, read: (value: T) => Normalised): Normalised {
  const parsed = schema.safeParse(payload);
  if (parsed.success) return read(parsed.data);
  const faults = parsed.error.issues
    .slice(0, 3)
    .map(({ path, message }) => `${path.join(".") || "payload"}: ${message}`);
  return { kind: "unreadable", reason: `the payload is not what Forgejo sends for this event: ${faults.join("; ")}` };
}
