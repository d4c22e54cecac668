import { canWrite, type Permission } from "../domain/forge.ts";

/** Who made something happen, as the forge answers now: nothing of it comes from a payload. */
export interface ActorFacts {
  login: string;
  /** One of our own users, of this service or of an agent. */
  isOurs: boolean;
  /** Null where it could not be asked; `error` then says why. */
  permission: Permission | null;
  error: string | null;
}

export type TriggerKind = "assignment" | "comment";

export interface ActorVerdict {
  allowed: boolean;
  /** A sentence for people, also where it is allowed. */
  why: string;
}

const deeds: Readonly<Record<TriggerKind, string>> = { assignment: "assigned it", comment: "wrote the comment" };

/** Who may set an agent to work: people who may write to the repository. What is not known is a no. */
export function decideActor({ login, isOurs, permission, error }: ActorFacts, trigger: TriggerKind): ActorVerdict {
  const who = `${login}, who ${deeds[trigger]},`;
  if (isOurs) return { allowed: false, why: `${who} is one of our own users: agents do not set each other to work` };
  if (permission === null) {
    const reason = error ?? "no answer is on record";
    return { allowed: false, why: `the forge could not say what ${login} may do, and that counts as no: ${reason}` };
  }
  if (canWrite(permission)) return { allowed: true, why: `${who} has ${permission} access` };
  return {
    allowed: false,
    why: `${who} has ${permission === "none" ? "no" : permission} access, and write access is needed`,
  };
}
