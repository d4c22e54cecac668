import type { LaneKey } from "../domain/ids.ts";
import { type CommandBounds, describeFailure, outputText, succeeded } from "../domain/process.ts";
import { stampOf } from "../domain/stamp.ts";
import { readBundle } from "./bundle.ts";
import type { Mirror } from "./mirror.ts";
import { isSha, type JailedRunner, sayable } from "./ports.ts";
import { bundleScript, saveScript } from "./save-script.ts";
import { indexPack, isConnected, laneRefs } from "./take-in.ts";

export interface SaveRequest {
  lane: LaneKey;
  mirror: Pick<Mirror, "git" | "exclusively">;
  /** Commits that the forge has had, whatever became of its branches. */
  published: readonly string[];
  /** Milliseconds since the epoch; names what is saved. */
  now: number;
  maxPackBytes: number;
  timeoutMs: number;
  signal?: AbortSignal;
}

export type SaveResult =
  | { kind: "nothing" }
  /** On `ref` in the mirror: the checkout may go. */
  | { kind: "saved"; ref: string; commits: number; changes: number }
  /** It cannot be saved by git: the folder itself must stay. */
  | { kind: "unsavable"; why: string }
  /** Nobody knows yet: another try can help. */
  | { kind: "failed"; detail: string };

const savingRef = "refs/claude-hooks/saving";

/**
 * Takes everything of a lane's checkout that is not on the forge (commits and uncommitted changes, ignored files not)
 * into the mirror, on a ref of its own. Nothing else may run in the lane. The checkout stays as it is.
 */
export async function saveWork(jail: Pick<JailedRunner, "run">, request: SaveRequest): Promise<SaveResult> {
  const bounds = boundsOf(request);
  const gathered = await jail.run(["/bin/bash", "-c", saveScript, "save", ...request.published], bounds);
  if (gathered.end !== "exited") return { kind: "failed", detail: describeFailure(gathered) };
  const line = outputText(gathered).trim().split("\n").at(-1) ?? "";
  if (line === "nothing") return { kind: "nothing" };
  const [, commit = "", changes, commits] = /^saving ([0-9a-f]{40}) (\d+) (\d+)$/.exec(line) ?? [];
  if (!succeeded(gathered) || !isSha(commit)) {
    const why = line.startsWith("whole ") ? line.slice("whole ".length) : describeFailure(gathered, 300);
    return { kind: "unsavable", why: sayable(why) };
  }
  const taken = await takeIn(jail, request, commit);
  if (taken !== null) return taken;
  const ref = `${laneRefs(request.lane)}/saved/${stampOf(request.now)}`;
  const updated = await request.mirror.exclusively(() => request.mirror.git(["update-ref", ref, commit]));
  if (!succeeded(updated)) return { kind: "failed", detail: `The mirror's ${ref}: ${describeFailure(updated)}` };
  return { kind: "saved", ref, commits: Number(commits), changes: Number(changes) };
}

async function takeIn(
  jail: Pick<JailedRunner, "run">,
  request: SaveRequest,
  commit: string,
): Promise<Exclude<SaveResult, { kind: "nothing" | "saved" }> | null> {
  const { mirror, maxPackBytes } = request;
  const bounds = { ...boundsOf(request), maxOutputBytes: maxPackBytes + 65_536 };
  const bundled = await jail.run(["/bin/bash", "-c", bundleScript], bounds);
  if (bundled.end === "too-much-output")
    return { kind: "unsavable", why: `its work is larger than ${maxPackBytes} bytes` };
  if (bundled.end !== "exited") return { kind: "failed", detail: describeFailure(bundled) };
  if (!succeeded(bundled)) return { kind: "unsavable", why: sayable(describeFailure(bundled, 300)) };
  const bundle = readBundle(bundled.stdout, savingRef);
  if (bundle.kind === "unreadable") return { kind: "unsavable", why: bundle.reason };
  if (bundle.head !== commit) return { kind: "unsavable", why: "its work changed while it was taken out" };
  const indexed = await indexPack(mirror, bundle.pack, maxPackBytes, boundsOf(request));
  if (indexed.end !== "exited") return { kind: "failed", detail: describeFailure(indexed) };
  if (!succeeded(indexed))
    return { kind: "unsavable", why: `its objects are not sound: ${sayable(describeFailure(indexed, 300))}` };
  if (!(await isConnected(mirror, commit)))
    return { kind: "unsavable", why: "its work names objects that were not handed in" };
  return null;
}

function boundsOf({ timeoutMs, signal }: SaveRequest): CommandBounds {
  return { timeoutMs, maxOutputBytes: 65_536, ...(signal === undefined ? {} : { signal }) };
}
