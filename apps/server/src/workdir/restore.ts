import type { LaneKey } from "../domain/ids.ts";
import { describeFailure, outputText, succeeded } from "../domain/process.ts";
import type { Mirror } from "./mirror.ts";
import { isSha, type JailedRunner, sayable } from "./ports.ts";
import { restoreScript } from "./save-script.ts";
import { laneRefs } from "./take-in.ts";

export interface RestoreRequest {
  lane: LaneKey;
  mirror: Pick<Mirror, "git" | "exclusively">;
  branch: string;
  /** The branch is on the forge: its history there counts, and other commits are kept beside it. */
  onForge: boolean;
  /** Uncommitted changes go back into the folder, for a session that goes on with them; else onto a ref. */
  putChanges: boolean;
  timeoutMs: number;
  signal?: AbortSignal;
}

export interface Restored {
  /** The checkout's commit afterwards; null where nothing was saved. */
  head: string | null;
  /** What is back and where, as sentences. */
  notes: string[];
}

/** Saved work of a lane in the mirror, oldest first. */
export async function savedWork(
  mirror: Pick<Mirror, "git">,
  lane: LaneKey,
): Promise<{ ref: string; commit: string }[]> {
  const listed = await mirror.git(["for-each-ref", "--format=%(objectname) %(refname)", `${laneRefs(lane)}/saved/`]);
  return outputText(listed)
    .split("\n")
    .flatMap((line) => {
      const [commit = "", ref] = line.split(" ");
      return isSha(commit) && ref !== undefined ? [{ ref, commit }] : [];
    });
}

/**
 * Puts the lane's saved work back into its checkout, which must be open on its branch. What is back moves to `put-back`
 * in the mirror, so that it stays there too; what cannot be put back stays saved, and the notes say so.
 */
export async function restoreWork(jail: Pick<JailedRunner, "run">, request: RestoreRequest): Promise<Restored> {
  const restored: Restored = { head: null, notes: [] };
  for (const { ref, commit } of await savedWork(request.mirror, request.lane)) {
    const stamp = ref.split("/").at(-1) ?? "saved";
    const flags = [request.onForge ? "1" : "0", request.putChanges ? "1" : "0", stamp];
    const { timeoutMs, signal } = request;
    const result = await jail.run(["/bin/bash", "-c", restoreScript, "restore", commit, request.branch, ...flags], {
      timeoutMs,
      maxOutputBytes: 65_536,
      ...(signal === undefined ? {} : { signal }),
    });
    const lines = outputText(result).split("\n");
    restored.notes.push(...lines.flatMap(noteOf));
    const head = /^head ([0-9a-f]{40})$/.exec(lines.findLast((line) => line.startsWith("head ")) ?? "")?.[1];
    if (!succeeded(result) || head === undefined) {
      const why = lines[0] === "unknown" ? "the mirror lacks it" : sayable(describeFailure(result, 300));
      restored.notes.push(
        `Work that was saved earlier could not be put back (${why}); it stays on ${ref} in the mirror.`,
      );
      continue;
    }
    restored.head = head;
    await request.mirror.exclusively(() => putAway(request.mirror, ref, commit));
  }
  return restored;
}

async function putAway(mirror: Pick<Mirror, "git">, ref: string, commit: string): Promise<void> {
  const input = `create ${ref.replace("/saved/", "/put-back/")} ${commit}\ndelete ${ref} ${commit}\n`;
  await mirror.git(["update-ref", "--stdin"], { input: new TextEncoder().encode(input) });
}

function noteOf(line: string): string[] {
  const [kind, first = "", second = ""] = sayable(line).split(" ");
  const notes: Record<string, string> = {
    ahead: `${first} commits that were saved with the last checkout are back on the branch.`,
    commits: `The branch moved on the forge meanwhile; ${first} saved commits are kept on ${second} in the checkout.`,
    branch: `A saved ${first.replace("refs/heads/", "branch ").replace("refs/tags/", "tag ")} is back, as ${second}.`,
    detached: `Saved commits that were on no branch are kept on ${first} in the checkout.`,
    changes: `${first} uncommitted changes that were saved with the last checkout are back.`,
    aside: `${first} saved uncommitted changes could not go back into the files; they are on ${second} in the checkout.`,
  };
  const note = kind === undefined ? undefined : notes[kind];
  return note === undefined ? [] : [note];
}
