import { lstatSync, readdirSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { chmod, lchown, mkdir, readdir, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { LaneKey } from "../domain/ids.ts";
import type { etcFiles } from "./bwrap.ts";
import { inside } from "./inside.ts";
import { requireReachable } from "./reach.ts";
import { removeTree, removeWhole } from "./remove.ts";
import { JailError, type JailSettings } from "./settings.ts";

/** A lane's place on this machine. Its folders belong to its own user, where the service is root. */
export interface Lane {
  key: LaneKey;
  /** Small and stable for as long as the lane's folder stands; also in the folder's name, since socket paths must be short. */
  slot: number;
  /** Null where the service is no root. A socket for the lane needs this group, and mode 0660. */
  identity: { uid: number; gid: number } | null;
  dir: string;
  checkout: string;
  home: string;
  etc: string;
  /** Folder with the broker's socket, read-only at /run/broker inside; or null. */
  sockets: string | null;
  /** Bare mirror, read-only at /mirror.git inside; or null. */
  mirror: string | null;
}

export interface LaneMounts {
  sockets?: string | null;
  mirror?: string | null;
}

/** What a lane has on this machine. */
export interface LaneFolder {
  key: LaneKey;
  dir: string;
  /** Its checkout is not empty. */
  checkout: boolean;
  /** Checkouts that were set aside: their paths, and the stamps that they were given. */
  kept: { path: string; stamp: string }[];
}

const keptPrefix = "kept-";
/** A folder on its way out has this name, so that what is found under its own name is whole. */
const removingPrefix = "removing-";
const selfTestLane = "self-test" as LaneKey;

/** Lane folders below `<state>/lanes/<slot>`; `<state>/slots/<slot>` is a link that names the slot's lane, made in one step, so that a crash leaves no half slot. */
export class LaneFolders {
  readonly #settings: JailSettings;
  readonly #isRoot: boolean;

  private constructor(settings: JailSettings, isRoot: boolean) {
    this.#settings = settings;
    this.#isRoot = isRoot;
  }

  /** Makes the state folder's own folders, and checks that the lanes' users can get to them. */
  static async open(settings: JailSettings, isRoot: boolean): Promise<LaneFolders> {
    const lanes = new LaneFolders(settings, isRoot);
    const { stateDir, tmpDir } = settings;
    for (const folder of [stateDir, tmpDir, join(stateDir, "lanes"), join(stateDir, "slots")]) {
      await mkdir(folder, { recursive: true });
      if (isRoot && (folder === stateDir || folder === tmpDir))
        await requireReachable(
          folder,
          settings.ids.base,
          folder === stateDir ? "The state folder" : "The temporary folder",
        );
      await lanes.#own(folder, 0o710);
    }
    return lanes;
  }

  async lane(key: LaneKey, mounts: LaneMounts): Promise<Lane> {
    const slot = this.#slotOf(key);
    const { base } = this.#settings.ids;
    const dir = this.#dirOf(slot);
    const lane: Lane = {
      key,
      slot,
      identity: this.#isRoot ? { uid: base + 1 + slot, gid: base } : null,
      dir,
      checkout: join(dir, "checkout"),
      home: join(dir, "home"),
      etc: join(dir, "etc"),
      sockets: mounts.sockets ?? null,
      mirror: mounts.mirror ?? null,
    };
    await mkdir(lane.etc, { recursive: true });
    await this.#own(dir, 0o710);
    await this.#own(lane.etc, 0o755);
    for (const [name, text] of Object.entries(etcTexts(lane))) {
      await writeFile(join(lane.etc, name), text);
      // Whatever the umask: the lane's own user reads it.
      await chmod(join(lane.etc, name), 0o644);
    }
    await this.#handOver(lane, lane.checkout);
    await this.#handOver(lane, lane.home);
    return lane;
  }

  selfTestLane(): Promise<Lane> {
    return this.lane(selfTestLane, {});
  }

  /** Takes the checkout out of the way under a name of its own and leaves an empty one. No jail of the lane may be running. */
  async setAside(lane: Lane, stamp: string): Promise<string> {
    const kept = join(lane.dir, `${keptPrefix}${stamp}`);
    await rename(lane.checkout, kept);
    await this.#handOver(lane, lane.checkout);
    return kept;
  }

  /** Every lane but the self-test's, by slot. */
  async list(): Promise<LaneFolder[]> {
    const lanes = [...this.#slots()].filter(([key]) => key !== selfTestLane).toSorted(([, a], [, b]) => a - b);
    return await Promise.all(lanes.map(([key, slot]) => this.#look(key, this.#dirOf(slot))));
  }

  /** Removes the lane's checkout. No jail of the lane may be running. */
  async removeCheckout(key: LaneKey): Promise<void> {
    const slot = this.#slots().get(key);
    if (slot === undefined) return;
    await removeWhole(join(this.#dirOf(slot), "checkout"), join(this.#dirOf(slot), removingPrefix));
  }

  async removeKept(key: LaneKey, stamp: string): Promise<void> {
    const slot = this.#slots().get(key);
    if (slot !== undefined) await removeTree(join(this.#dirOf(slot), `${keptPrefix}${stamp}`));
  }

  /** Removes the lane's folder and gives its slot back. No jail of the lane may be running. */
  async removeLane(key: LaneKey): Promise<void> {
    const slot = this.#slots().get(key);
    if (slot === undefined) return;
    const dir = this.#dirOf(slot);
    await removeWhole(dir, join(dirname(dir), `${removingPrefix}${slot}`));
    rmSync(join(this.#settings.stateDir, "slots", String(slot)), { force: true });
  }

  /** Removes what an earlier removal left behind when the service was killed. */
  async clearRemovals(): Promise<number> {
    const folder = join(this.#settings.stateDir, "lanes");
    const folders = [folder, ...(await readdir(folder)).map((name) => join(folder, name))];
    const names = await Promise.all(folders.map((path) => readdir(path).catch(() => [])));
    const left = folders.flatMap((path, index) =>
      (names[index] ?? []).filter((name) => name.startsWith(removingPrefix)).map((name) => join(path, name)),
    );
    for (const path of left) await removeTree(path);
    return left.length;
  }

  #dirOf(slot: number): string {
    return join(this.#settings.stateDir, "lanes", String(slot));
  }

  async #look(key: LaneKey, dir: string): Promise<LaneFolder> {
    const names = await readdir(dir).catch(() => []);
    const checkout = await readdir(join(dir, "checkout")).catch(() => []);
    const kept = names
      .filter((name) => name.startsWith(keptPrefix))
      .toSorted()
      .map((name) => ({ path: join(dir, name), stamp: name.slice(keptPrefix.length) }));
    return { key, dir, checkout: checkout.length > 0, kept };
  }

  #slots(): Map<LaneKey, number> {
    const slots = join(this.#settings.stateDir, "slots");
    return new Map(readdirSync(slots).map((slot) => [readlinkSync(join(slots, slot)) as LaneKey, Number(slot)]));
  }

  #slotOf(key: LaneKey): number {
    const slots = join(this.#settings.stateDir, "slots");
    const taken = this.#slots();
    const known = taken.get(key);
    if (known !== undefined) return known;
    const used = new Set(taken.values());
    // Slot 0 is the self-test's, so that agents' folders never hold what it leaves.
    const first = key === selfTestLane ? 0 : 1;
    for (let slot = first; slot < this.#settings.ids.count; slot++) {
      if (used.has(slot)) continue;
      symlinkSync(key, join(slots, String(slot)));
      return slot;
    }
    throw new JailError(
      "no-free-id",
      `All ${this.#settings.ids.count} lane slots in ${slots} are taken. Raise the count of the jail's ids, or remove folders of lanes that are done, each with its link in slots.`,
    );
  }

  async #own(folder: string, mode: number): Promise<void> {
    try {
      if (this.#isRoot) await lchown(folder, 0, this.#settings.ids.base);
      await chmod(folder, this.#isRoot ? mode : 0o700);
    } catch (cause) {
      throw new JailError(
        "folder-owner",
        `${folder} belongs to another user. Run the service as the user that it ran as before, or: chown -R <user> ${this.#settings.stateDir}`,
        { cause },
      );
    }
  }

  async #handOver(lane: Lane, folder: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    const owner = lane.identity?.uid ?? process.getuid?.() ?? 0;
    const { uid } = await stat(folder);
    const foreign = uid !== owner && (await readdir(folder).catch(() => ["unreadable"])).length > 0;
    if (foreign)
      throw new JailError(
        "folder-owner",
        `${folder} belongs to user id ${uid}, not to ${owner}, the id of its lane: the service ran as another user before, or the jail's id range changed. Run: chown -R ${owner} ${folder}`,
      );
    if (lane.identity !== null) await lchown(folder, lane.identity.uid, lane.identity.gid);
    await chmod(folder, 0o700);
  }
}

/** Gives a folder of the service's making to a lane; links in it are not followed. Synchronous, as the caller must be. */
export function giveToLane(lane: Lane, folder: string, chown: (path: string, uid: number, gid: number) => void): void {
  if (lane.identity === null) return;
  const { uid, gid } = lane.identity;
  chown(folder, uid, gid);
  if (!lstatSync(folder).isDirectory()) return;
  for (const name of readdirSync(folder)) giveToLane(lane, join(folder, name), chown);
}

function etcTexts({ identity }: Lane): Record<(typeof etcFiles)[number], string> {
  const uid = identity?.uid ?? process.getuid?.() ?? 0;
  const gid = identity?.gid ?? process.getgid?.() ?? 0;
  return {
    passwd: `agent:x:${uid}:${gid}:agent:${inside.home}:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n`,
    group: `agent:x:${gid}:\nnogroup:x:65534:\n`,
    hosts: "127.0.0.1 localhost agent\n::1 localhost agent\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    // The mirror belongs to the service's user, and git reads this setting from a file only.
    gitconfig: `[safe]\n\tdirectory = ${inside.mirror}\n[gc]\n\tauto = 0\n`,
  };
}
