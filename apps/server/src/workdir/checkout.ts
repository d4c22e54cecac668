import { type CommandResult, describeFailure, outputText, succeeded } from "../domain/process.ts";
import type { RunFailure } from "../domain/run.ts";
import { stampOf } from "../domain/stamp.ts";
import { cloneScript, prepareScript } from "./checkout-script.ts";
import type { Mirror } from "./mirror.ts";
import { isSha, type JailedRunner, sayable } from "./ports.ts";

export interface CheckoutRequest {
  mirror: Pick<Mirror, "head">;
  branch: string;
  /** Name of the branch that a new branch starts from. */
  base: string;
  author: { name: string; email: string };
  /** Leaves uncommitted changes of an interrupted run where they are, for its session to go on with; else they go to a ref. */
  keepUnfinished: boolean;
  /** Milliseconds since the epoch; names what is kept. */
  now: number;
  timeoutMs: number;
  signal?: AbortSignal;
}

export interface Checkout {
  /** Inside the jail. */
  path: "/repo";
  /** The checkout's commit now; it may be ahead of the forge by work that an earlier run did not hand in. */
  head: string;
  /** The base branch's commit. */
  base: string;
  /** The branch's commit on the forge, or null where it is not there yet: what a later push expects to find. */
  forgeHead: string | null;
  /** What was found that nobody had asked for, as sentences. */
  notes: string[];
}

export type CheckoutResult =
  | { kind: "ready"; checkout: Checkout }
  | { kind: "failed"; failure: Extract<RunFailure, { kind: "clone-failed" | "interrupted" }> };

const repo = "/repo";

/** Brings the lane's checkout to the branch: made by a jailed clone of the mirror, or the one of earlier runs. The mirror must be synced. */
export async function openCheckout(jail: JailedRunner, request: CheckoutRequest): Promise<CheckoutResult> {
  const [forgeHead, base] = await Promise.all([request.mirror.head(request.branch), request.mirror.head(request.base)]);
  if (base === null) return failed(`The repository has no branch "${request.base}" to start from.`);
  const wanted = forgeHead ?? base;
  const found = await prepare(jail, request, wanted, forgeHead !== null);
  if (found.kind === "failed") return found;
  if (found.kind === "ready")
    return { kind: "ready", checkout: { path: repo, head: found.head, base, forgeHead, notes: found.notes } };
  const notes = [...found.notes];
  if (found.kind === "broken") {
    const kept = await jail.setAside(stampOf(request.now));
    notes.push(
      `The checkout could not be used (${sayable(found.why)}) and was made anew; the old one is kept as ${kept}.`,
    );
  }
  const cloned = await jail.run(script(cloneScript, request.branch, wanted, ...authorOf(request)), boundsOf(request));
  const head = headIn(cloned);
  if (head !== wanted)
    return interrupted(cloned) ?? failed(`The clone from the mirror failed: ${describeFailure(cloned)}`);
  return { kind: "ready", checkout: { path: repo, head, base, forgeHead, notes } };
}

type Found =
  | { kind: "ready"; head: string; notes: string[] }
  | { kind: "absent"; notes: string[] }
  | { kind: "broken"; why: string; notes: string[] }
  | Extract<CheckoutResult, { kind: "failed" }>;

async function prepare(jail: JailedRunner, request: CheckoutRequest, wanted: string, onForge: boolean): Promise<Found> {
  const flags = [onForge ? "1" : "0", request.keepUnfinished ? "1" : "0", stampOf(request.now)];
  const argv = script(prepareScript, request.branch, wanted, ...flags, ...authorOf(request));
  const result = await jail.run(argv, boundsOf(request));
  const stopped = interrupted(result);
  if (stopped !== null) return stopped;
  const lines = outputText(result).split("\n");
  const notes = lines.flatMap((line) => noteOf(line, request));
  const broken = lines.find((line) => line.startsWith("broken "));
  if (broken !== undefined) return { kind: "broken", why: broken.slice("broken ".length), notes };
  if (lines[0] === "absent") return { kind: "absent", notes };
  const head = headIn(result);
  if (head === null) return { kind: "broken", why: describeFailure(result, 300), notes };
  return { kind: "ready", head, notes };
}

function noteOf(line: string, { branch }: CheckoutRequest): string[] {
  const [kind, first = "", second = ""] = sayable(line).split(" ");
  const notes: Record<string, string> = {
    saved: `${first} uncommitted changes of an earlier run were taken out of the way; they are on ${second} in the checkout.`,
    unfinished: `${first} uncommitted changes of an earlier run are still there.`,
    branch: `The checkout was on ${sayable(line).slice("branch ".length)} and is on ${branch} again.`,
    detached: `The checkout was on no branch and is on ${branch} again; where it was is kept on ${first} in the checkout.`,
    ahead: `${first} commits of an earlier run are there that were not handed in yet.`,
    forwarded: `The branch moved on the forge by ${first} commits, which are in now.`,
    diverged: `The branch moved on the forge in another direction; ${first} local commits are kept on ${second} in the checkout.`,
  };
  const note = kind === undefined ? undefined : notes[kind];
  return note === undefined ? [] : [note];
}

const script = (text: string, ...args: string[]): string[] => ["/bin/bash", "-c", text, "checkout", ...args];
const authorOf = ({ author }: CheckoutRequest): string[] => [author.name, author.email];

function boundsOf({ timeoutMs, signal }: CheckoutRequest) {
  return { timeoutMs, maxOutputBytes: 65_536, ...(signal === undefined ? {} : { signal }) };
}

/** What the jail prints is the agent's word; a head is believed only so far as that it is a commit's name. */
function headIn(result: CommandResult): string | null {
  if (!succeeded(result)) return null;
  const head = /^head ([0-9a-f]{40})$/m.exec(outputText(result))?.[1];
  return head !== undefined && isSha(head) ? head : null;
}

function interrupted(result: CommandResult): Extract<CheckoutResult, { kind: "failed" }> | null {
  if (result.end !== "aborted") return null;
  return {
    kind: "failed",
    failure: { kind: "interrupted", retryable: true, detail: "The run was stopped while its checkout was made." },
  };
}

function failed(detail: string): Extract<CheckoutResult, { kind: "failed" }> {
  return { kind: "failed", failure: { kind: "clone-failed", retryable: true, detail } };
}
